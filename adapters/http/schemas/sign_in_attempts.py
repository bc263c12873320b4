"""Refused sign-ins."""

from typing import Self
from uuid import UUID

from pydantic import Field

from adapters.http.schemas.base import ResponseSchema, Timestamp, examples
from domain.sessions.sign_in_attempt import SignInAttempt


class SignInStep(ResponseSchema):
    """One thing that was decided. There may be more checks and outcomes than you know."""

    check: str
    outcome: str = Field(description="`not_reached` where something before it had decided already.")


class SignInAttemptResponse(ResponseSchema):
    """Why a sign-in was refused: every step, in the order in which they are taken."""

    model_config = examples(
        {
            "reference": "7F3K-Q2MX-9RTB",
            "occurred_at": "2026-01-31T12:00:00.000000Z",
            "shared": False,
            "user_id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "request_id": "5b7c1f0e-3a52-4a55-9d0c-6f0e7c3a9d2b",
            "network_address": "192.0.2.7",
            "steps": [
                {"check": "network_limit", "outcome": "left"},
                {"check": "address", "outcome": "known"},
                {"check": "device", "outcome": "none"},
                {"check": "guesses", "outcome": "left"},
                {"check": "password", "outcome": "right"},
                {"check": "suspension", "outcome": "in_force"},
                {"check": "deletion", "outcome": "not_reached"},
                {"check": "mailbox", "outcome": "not_reached"},
                {"check": "verdict", "outcome": "refused"},
            ],
        }
    )

    reference: str
    occurred_at: Timestamp
    shared: bool = Field(
        description="Whether everybody whom the same limit told to wait within that hour has the same reference. "
        "Time, request and network address are those of the first of them."
    )
    user_id: UUID | None = Field(description="Whom it was about; null where nobody has the address.")
    request_id: UUID | None
    network_address: str | None
    steps: list[SignInStep]

    @classmethod
    def of(cls, attempt: SignInAttempt) -> Self:
        return cls(
            reference=attempt.reference.text,
            occurred_at=attempt.occurred_at,
            shared=attempt.shared,
            user_id=attempt.user_id,
            request_id=attempt.request_id,
            network_address=attempt.network_address,
            steps=[SignInStep(check=step.check, outcome=step.outcome) for step in attempt.steps],
        )
