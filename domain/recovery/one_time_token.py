"""One-time tokens: mailed, and good for one thing once (RC-01)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from types import MappingProxyType
from typing import Self

from domain.errors import InvalidInput, Violation
from domain.ids import EmailChangeId, OneTimeTokenId, UserId
from domain.opaque_token import OpaqueToken, is_well_formed, written
from domain.users.password import PasswordHash
from domain.users.user import User

CODE_DIGITS = 8


class Binding(Enum):
    """What else ends a one-time token (RC-04)."""

    EPOCH = auto()
    """Any change of what guards the user."""
    ADDRESS = auto()
    """A change of the user's address."""
    NOTHING = auto()


class Purpose(StrEnum):
    """What a one-time token is good for."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  (a purpose, not a secret)
    CONFIRM_EMAIL_CHANGE = "confirm_email_change"
    REVERT_EMAIL_CHANGE = "revert_email_change"
    ACCEPT_INVITATION = "accept_invitation"

    @property
    def replaces_older(self) -> bool:
        """Whether a newer one kills older ones of the same user.

        Not where each goes to a mailbox of its own: whoever changes the address twice must not take the way back from
        the first owner.
        """
        return self is not Purpose.REVERT_EMAIL_CHANGE

    @property
    def bound_to(self) -> Binding:
        """What a token must not outlive, besides its own end."""
        match self:
            case Purpose.VERIFY_EMAIL:
                # Whoever typed a stranger's address in could change the password all the time, and keep its owner out.
                return Binding.ADDRESS
            case Purpose.RESET_PASSWORD | Purpose.CONFIRM_EMAIL_CHANGE | Purpose.ACCEPT_INVITATION:
                return Binding.EPOCH
            case Purpose.REVERT_EMAIL_CHANGE:
                # The way back must outlive the change that it undoes.
                return Binding.NOTHING


_KINDS: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.VERIFY_EMAIL: "ev",
        Purpose.RESET_PASSWORD: "pr",
        Purpose.CONFIRM_EMAIL_CHANGE: "ec",
        Purpose.REVERT_EMAIL_CHANGE: "er",
        Purpose.ACCEPT_INVITATION: "in",
    }
)


class InvalidToken(InvalidInput):
    """The one answer to every one-time token or code that is good for nothing, whatever its cause."""

    code = "invalid_token"
    title = "This link or code is wrong, used, replaced by a newer one or expired; ask for a new one"


def invalid_token(field: str = "token") -> InvalidToken:
    """The refusal of what was given in that field."""
    return InvalidToken([Violation(field, InvalidToken.code, f"{InvalidToken.title}.")])


class OneTimeTokenSecret(OpaqueToken):
    """The one-time token in a link. Its kind tells its purpose: one for another purpose is not even looked up."""

    __slots__ = ()

    @classmethod
    def from_random(cls, random: bytes, *, purpose: Purpose) -> Self:
        """The token of 256 random bits."""
        return cls(written(_KINDS[purpose], random))

    @classmethod
    def parse(cls, text: str, *, purpose: Purpose) -> Self | None:
        """The token that `text` is, or None where it cannot be one for this purpose."""
        return cls(text) if is_well_formed(_KINDS[purpose], text) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeTokenPolicy:
    """How long one-time tokens are good, from when they were asked for, and how often a code may be tried."""

    verification: timedelta = timedelta(hours=24)
    password_reset: timedelta = timedelta(minutes=30)
    email_change: timedelta = timedelta(minutes=60)
    email_revert: timedelta = timedelta(days=7)
    invitation: timedelta = timedelta(days=7)
    code: timedelta = timedelta(minutes=10)
    code_attempts: int = 5

    def lifetime(self, purpose: Purpose) -> timedelta:
        """How long a token for this purpose is good."""
        match purpose:
            case Purpose.VERIFY_EMAIL:
                return self.verification
            case Purpose.RESET_PASSWORD:
                return self.password_reset
            case Purpose.CONFIRM_EMAIL_CHANGE:
                return self.email_change
            case Purpose.REVERT_EMAIL_CHANGE:
                return self.email_revert
            case Purpose.ACCEPT_INVITATION:
                return self.invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeCode:
    """Eight digits beside the link, for typing over. So short a secret lives minutes and is tried a few times."""

    hashed: PasswordHash
    expires_at: datetime
    attempts_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeToken:
    """A one-time token as it is kept.

    `security_epoch` is the user's when it was made, and `address` the canonical one that it went to. `spent_at` is when
    it stopped working: used, or replaced by a newer one. `email_change_id` names the change that it confirms or
    reverts.
    """

    id: OneTimeTokenId
    user_id: UserId
    purpose: Purpose
    digest: bytes = field(repr=False)
    security_epoch: int
    address: str
    issued_at: datetime
    expires_at: datetime
    code: OneTimeCode | None = None
    email_change_id: EmailChangeId | None = None
    spent_at: datetime | None = None

    def is_good(self, *, user: User, at: datetime) -> bool:
        """Whether it can be used now: the rule of the one statement that uses it up (RC-01, RC-04).

        Repositories may state the same rule in their own language; the contract suite holds them to it.
        """
        binds = {
            Binding.EPOCH: self.security_epoch == user.security_epoch,
            Binding.ADDRESS: self.address == user.email.canonical,
            Binding.NOTHING: True,
        }
        in_time = self.spent_at is None and at < self.expires_at
        return binds[self.purpose.bound_to] and in_time and user.may_come_in(at=at)
