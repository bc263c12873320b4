"""A passkey: a key that somebody's device keeps, and that answers for them (Web Authentication Level 3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from domain.errors import Conflict, NotAuthenticated
from domain.events import Event, Outcome
from domain.ids import FactorId
from domain.mfa.factor import Factor, FactorEnrolled, FactorKind, FactorRenamed, expect_proven_address, factor_name
from domain.users.user import User

HANDLE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyPublicKey:
    """What is kept of a passkey in order to check it. None of it is a secret.

    `credential_id` has 1 to 1023 bytes, and is unique among all users. `public_key` is a COSE key of at most 1 KB.
    `sign_count` is what the authenticator counted last, 0 if it does not. `backup_eligible` never changes; `backed_up`
    may. `user_verified` says whether the holder was verified when the passkey was made: if not, a PIN that turns up
    later may be that of somebody who has found the key. `transports` and `aaguid` (a UUID, or empty) are what is said
    of the authenticator, and nothing proves them: good for showing, not for deciding.
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    user_verified: bool = False
    transports: tuple[str, ...] = ()
    aaguid: str = ""


@dataclass(slots=True, kw_only=True)
class Passkey(Factor):
    """A passkey of a user. A second factor, and with its holder verified a way in of its own.

    `user_handle` is what the authenticator knows its owner by: chance, of which nothing can be told (PK-08).
    """

    kind: ClassVar[FactorKind] = FactorKind.PASSKEY

    user_handle: bytes
    public: PasskeyPublicKey

    @classmethod
    def register(
        cls, *, id: FactorId, user: User, name: str | None, user_handle: bytes, public: PasskeyPublicKey, at: datetime
    ) -> Self:
        """One that counts at once.

        Raises: EmailNotVerified, InvalidFields.
        """
        expect_proven_address(user)
        passkey = cls(
            id=id,
            user_id=user.id,
            name=factor_name(name),
            user_handle=user_handle,
            public=public,
            created_at=at,
            last_used_at=at,
        )
        passkey.record(FactorEnrolled(user_id=user.id, occurred_at=at, factor_id=id, kind=cls.kind))
        return passkey

    @property
    def signs_in_alone(self) -> bool:
        """Whether it is two factors at once: the device, and what its holder shows to it (PK-05)."""
        return self.public.user_verified

    def rename(self, name: str | None, *, at: datetime) -> None:
        """Be called otherwise.

        Raises: InvalidFields.
        """
        self.name = factor_name(name)
        self.record(FactorRenamed(user_id=self.user_id, occurred_at=at, factor_id=self.id, kind=self.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCopySuspected(Event):
    """A passkey signed what it cannot sign if there is one of it (PK-06): it was refused.

    `fault` is what gave it away: that it had counted further before, or could not be copied before.
    """

    name = "passkey.copy_suspected"
    outcome = Outcome.REFUSED
    factor_id: FactorId
    fault: str


class InvalidPasskey(NotAuthenticated):
    """The one answer to every passkey that opens nothing, whatever its cause."""

    code = "invalid_passkey"
    title = "The passkey cannot be accepted, or what it was asked for is over"


class PasskeyAlreadyRegistered(Conflict):
    """No passkey belongs to two users, or twice to one (PK-07)."""

    code = "passkey_already_registered"
    title = "This passkey is registered already"


class NoPasskey(Conflict):
    """There is none to ask for."""

    code = "no_passkey"
    title = "You have no passkey; prove who you are otherwise"


class LastWayIn(Conflict):
    """Whoever has no password comes in by passkeys."""

    code = "last_way_in"
    title = "Without a password, this passkey is the only way in; choose a password or register another passkey first"
