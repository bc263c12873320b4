"""What can happen to a user."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """A user came to be, by registering or by an operator's hand."""

    name = "user.registered"
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProfileUpdated(Event):
    """A user's own words about themselves changed; `changed` names the fields, not their contents."""

    name = "user.profile_updated"
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A user chose another password; every other session ended with that."""

    name = "user.password_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """Whoever has the user's mailbox chose another password; every session ended with that."""

    name = "user.password_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerified(Event):
    """The user's address was proven to be theirs.

    `discarded` says that the proof did not come from whoever registered it, as far as we know, so password and
    sessions of before are gone (LG-09).
    """

    name = "user.email_verified"
    discarded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionScheduled(Event):
    """A user asked to be deleted, and will be unless they change their mind in time."""

    name = "user.deletion_scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCancelled(Event):
    """A user who had asked to be deleted stays."""

    name = "user.deletion_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErased(Event):
    """Everything about a user is gone, but that there was one."""

    name = "user.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSuspended(Event):
    """A user may not come in for the time being; `until` as of RFC 3339, if it has an end."""

    name = "user.suspended"
    by: UserId | None
    until: str | None
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReinstated(Event):
    """A suspended user may come in again: `by` an operator, or because the time was over."""

    name = "user.reinstated"
    by: UserId | None
