"""A key that signs access tokens."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from domain.errors import Conflict
from domain.events import Aggregate, Event
from domain.ids import KeyId


class KeyState(StrEnum):
    """Where a key stands in its life. One key is active at a time."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyActivated(Event):
    """From now on access tokens are signed with this key."""

    name = "signing_key.activated"
    key_id: KeyId


class ActiveSigningKeyExists(Conflict):
    """Another process was faster in making the active key."""

    code = "active_signing_key_exists"
    title = "There is an active signing key already"


@dataclass(slots=True, kw_only=True)
class SigningKey(Aggregate):
    """A key pair. `algorithm` belongs to the key and is never read from a token (RFC 8725 section 3.1).

    `public_key` is a JSON Web Key as JSON text. `sealed_private_key` can be opened only by the signer that made it.
    """

    id: KeyId
    algorithm: str
    public_key: str
    sealed_private_key: str = field(repr=False)
    state: KeyState
    created_at: datetime

    @classmethod
    def activated(cls, *, id: KeyId, algorithm: str, public_key: str, sealed_private_key: str, at: datetime) -> Self:
        """A key that signs from the start: the very first of an installation."""
        key = cls(
            id=id,
            algorithm=algorithm,
            public_key=public_key,
            sealed_private_key=sealed_private_key,
            state=KeyState.ACTIVE,
            created_at=at,
        )
        key.record(SigningKeyActivated(user_id=None, occurred_at=at, key_id=id))
        return key

    @property
    def verifies(self) -> bool:
        """Whether tokens that this key signed are still believed."""
        return self.state is not KeyState.REVOKED
