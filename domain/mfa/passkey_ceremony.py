"""What a passkey is asked, until it answers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.ids import CeremonyId, UserId

CHALLENGE_BYTES = 32
CEREMONY_LIFETIME = timedelta(minutes=5)


class PasskeyPurpose(StrEnum):
    """What for. An answer to one is none to another (PK-01)."""

    REGISTRATION = "registration"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"
    FRESH_PROOF = "fresh_proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCeremony:
    """A challenge that is good for one answer within five minutes (L3 §13.4.3).

    It is `user_id`'s to answer, but for signing in, where nobody knows yet who comes. `bound_to` is the session or the
    half sign-in through which it was asked for, and only there an answer counts. `user_handle` is that of a passkey
    that is to be made.
    """

    id: CeremonyId
    purpose: PasskeyPurpose
    challenge: bytes = field(repr=False)
    expires_at: datetime
    user_id: UserId | None = None
    bound_to: UUID | None = None
    user_handle: bytes | None = None
