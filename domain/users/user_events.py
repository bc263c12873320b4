"""What can happen to a user."""

from dataclasses import dataclass

from domain.events import Event, Outcome
from domain.ids import EmailChangeId, SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(Event):
    """A user came to be: by registering, or by the hand of the operator `by`."""

    name = "user.registered"
    is_own_act = True
    roles: frozenset[str]
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInvited(Event):
    """Somebody whom an operator made a user is asked to choose a password."""

    name = "user.invited"
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserProfileUpdated(Event):
    """What a user says about themselves changed; `changed` names the fields, not their contents.

    `by` is the operator who changed it, if one did.
    """

    name = "user.profile_updated"
    changed: tuple[str, ...]
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRolesChanged(Event):
    """An operator gave a user roles, or took them."""

    name = "user.roles_changed"
    given: frozenset[str]
    taken: frozenset[str]
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEmailSet(Event):
    """An operator gave a user another address. Every session, and every mailed link, ended with that."""

    name = "user.email_set"
    change_id: EmailChangeId
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerificationSet(Event):
    """An operator said whether a user's address counts as proven."""

    name = "user.email_verification_set"
    verified: bool
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A user chose another password; every other session ended with that."""

    name = "user.password_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """Whoever has the user's mailbox chose another password; every session ended with that."""

    name = "user.password_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordDiscarded(Event):
    """An operator took a password away that others may know; every session ended with that (PW-10)."""

    name = "user.password_discarded"
    by: UserId | None


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
    """A user will be deleted unless they change their mind in time: they asked for it, or the operator `by` did."""

    name = "user.deletion_scheduled"
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionCancelled(Event):
    """A user who was to be deleted stays."""

    name = "user.deletion_cancelled"
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserErased(Event):
    """Everything about a user is gone, but that there was one. `by` is the operator who did not wait, if one did."""

    name = "user.erased"
    by: UserId | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDenied(Event):
    """A user asked for what is for others; `role` is what it would have taken (LA-01)."""

    name = "access.denied"
    outcome = Outcome.REFUSED
    session_id: SessionId
    role: str
