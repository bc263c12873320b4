"""A key that signs access tokens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.errors import Conflict, NotFound
from domain.events import Aggregate, Event
from domain.ids import KeyId, UserId


class KeyState(StrEnum):
    """Where a key stands in its life. It only ever moves down this list."""

    NEXT = "next"
    """Published, and not signing yet."""
    ACTIVE = "active"
    """Signing. There is one."""
    RETIRING = "retiring"
    """No longer signing; the tokens that it signed are believed."""
    REVOKED = "revoked"
    """Neither published nor believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyActivated(Event):
    """From now on access tokens are signed with this key; `by` an operator's will, or because it was time."""

    name = "signing_key.activated"
    key_id: KeyId
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyRetired(Event):
    """This key signs no longer."""

    name = "signing_key.retired"
    key_id: KeyId
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeyRevoked(Event):
    """No token of this key is believed any more."""

    name = "signing_key.revoked"
    key_id: KeyId
    by: UserId | None = None


class ActiveSigningKeyExists(Conflict):
    """Another process was faster in making the active key."""

    code = "active_signing_key_exists"
    title = "There is an active signing key already"


class NextKeyTooYoung(Conflict):
    """Services that keep our published keys for a while may not know the next one yet."""

    code = "next_signing_key_too_young"
    title = "The next signing key was published a moment ago, and not everybody may know it yet"


class SigningKeyNotFound(NotFound):
    """No such key."""

    code = "signing_key_not_found"
    title = "There is no such signing key"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningPolicy:
    """How keys follow one another (SK-03).

    `published_for` is how long the next key must have been published before it signs: longer than anybody keeps our
    keys without asking again. `retiring_for` is how long a key is believed after it signed last: longer than tokens
    live.
    """

    rotate_after: timedelta = timedelta(days=90)
    published_for: timedelta = timedelta(minutes=10)
    retiring_for: timedelta = timedelta(minutes=30)


@dataclass(slots=True, kw_only=True)
class SigningKey(Aggregate):
    """A key pair. `algorithm` belongs to the key and is never read from a token (RFC 8725 section 3.1).

    `public_key` is a JSON Web Key as JSON text. `sealed_private_key` can be opened only by the signer that made it.
    `state_since` is when it came into its present state.
    """

    id: KeyId
    algorithm: str
    public_key: str
    sealed_private_key: str = field(repr=False)
    state: KeyState
    created_at: datetime
    state_since: datetime

    @classmethod
    def prepared(cls, *, id: KeyId, algorithm: str, public_key: str, sealed_private_key: str, at: datetime) -> Self:
        """A key to be published, and used later."""
        return cls(
            id=id,
            algorithm=algorithm,
            public_key=public_key,
            sealed_private_key=sealed_private_key,
            state=KeyState.NEXT,
            created_at=at,
            state_since=at,
        )

    @property
    def verifies(self) -> bool:
        """Whether tokens that this key signed are still believed."""
        return self.state is not KeyState.REVOKED

    def activate(self, *, at: datetime, by: UserId | None = None) -> None:
        """Sign from now on."""
        self._become(KeyState.ACTIVE, at)
        self.record(SigningKeyActivated(user_id=None, occurred_at=at, key_id=self.id, by=by))

    def retire(self, *, at: datetime, by: UserId | None = None) -> None:
        """Sign no longer."""
        self._become(KeyState.RETIRING, at)
        self.record(SigningKeyRetired(user_id=None, occurred_at=at, key_id=self.id, by=by))

    def revoke(self, *, at: datetime, by: UserId | None = None) -> None:
        """Be believed no longer. Repeating it is harmless."""
        if self.state is not KeyState.REVOKED:
            self._become(KeyState.REVOKED, at)
            self.record(SigningKeyRevoked(user_id=None, occurred_at=at, key_id=self.id, by=by))

    def _become(self, state: KeyState, at: datetime) -> None:
        self.state, self.state_since = state, at
