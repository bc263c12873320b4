"""The idempotent request: one that its caller has given a key of their own, so as to send it again if in doubt."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from domain.errors import Conflict, InvalidInput, Violation
from domain.ids import UserId

MAX_KEY_LENGTH = 255
MAX_SEALED_LENGTH = 200_000


class IdempotencyKeyReused(InvalidInput):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    title = "This key was used for another request"


def key_reused() -> IdempotencyKeyReused:
    """The refusal of a key that belongs to another request."""
    detail = "This key was used with another body; take a new one for each request."
    return IdempotencyKeyReused([Violation("idempotency_key", "reused", detail)])


class IdempotencyInFlight(Conflict):
    """The request with this key is still being worked on."""

    code = "idempotency_in_flight"
    title = "The request with this key is still being worked on; try again in a moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyPolicy:
    """How long answers are kept, and how long whoever works on a request may be silent before another takes it over."""

    kept_for: timedelta = timedelta(hours=24)
    claimed_for: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """What is known about a request with a key: who works on it, whether it was done, and how it was answered.

    `digest` stands for caller, route and key. `sealed_request` is what the key was first sent with, to be compared; it
    may hold a password, and so it is sealed. `user_id` is whom the act was about, where it was about a user.
    """

    digest: bytes
    claim_id: UUID
    claimed_at: datetime
    expires_at: datetime
    sealed_request: str = field(repr=False)
    acted_at: datetime | None = None
    user_id: UserId | None = None
    sealed_answer: str | None = field(default=None, repr=False)

    @staticmethod
    def digest_of(*, principal: str, route: str, key: str) -> bytes:
        """What requests are known by: the same key of another caller, or at another route, is another one."""
        return hashlib.sha256(f"{principal}\0{route}\0{key}".encode()).digest()

    def may_be_claimed(self, *, at: datetime, policy: IdempotencyPolicy) -> bool:
        """Whether nobody works on it any more, and nobody has answered it."""
        return self.is_over(at=at) or (self.sealed_answer is None and self.claimed_at + policy.claimed_for <= at)

    def is_over(self, *, at: datetime) -> bool:
        """Whether the key is as good as new."""
        return self.expires_at <= at

    def claimed_by(self, other: "IdempotentRequest") -> Self:
        """The request in the hands of another claim; what was done stays done."""
        return replace(self, claim_id=other.claim_id, claimed_at=other.claimed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """The right to do a request, for one who has claimed it.

    `acted` tells that it was done already, by somebody who did not get as far as answering; `user_id` is whom it was
    about, if anybody.
    """

    digest: bytes
    claim_id: UUID
    acted: bool = False
    user_id: UserId | None = None
