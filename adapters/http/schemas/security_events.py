"""What happened to a user."""

from typing import Self

from pydantic import Field

from adapters.http.schemas.base import NextCursor, ResponseSchema, Timestamp, examples
from domain.audit.audit_entry import AuditEntry
from domain.events import Detail


class SecurityEventResponse(ResponseSchema):
    """One thing that happened."""

    model_config = examples(
        {
            "event": "session.started",
            "occurred_at": "2026-01-31T12:00:00.000000Z",
            "details": {"session_id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d", "methods": ["pwd"]},
            "network_address": "192.0.2.7",
        }
    )

    event: str = Field(description="A stable name; there may be more of them than you know.")
    occurred_at: Timestamp
    details: dict[str, Detail]
    network_address: str | None = Field(
        default=None, description="From where, as long as it is kept; not where somebody else is known to have acted."
    )

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            event=entry.event,
            occurred_at=entry.occurred_at,
            details=dict(entry.details),
            network_address=entry.own_address,
        )


class SecurityEventList(ResponseSchema):
    """What happened, newest first."""

    items: list[SecurityEventResponse]
    next_cursor: NextCursor
