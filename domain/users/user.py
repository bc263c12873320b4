"""The user: a person who can sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self, Unpack

from domain.errors import Conflict, NotAllowed, NotFound, StaleVersion
from domain.events import Aggregate, Event
from domain.ids import UserId
from domain.users import profile
from domain.users.email_address import EmailAddress
from domain.users.password import PasswordHash
from domain.users.profile import ProfileChanges

ADMIN = "admin"


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
class UserSuspended(Event):
    """A user may not come in for the time being."""

    name = "user.suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserReinstated(Event):
    """A suspended user may come in again."""

    name = "user.reinstated"


class UserNotFound(NotFound):
    """No such user."""

    code = "user_not_found"
    title = "There is no such user"


class EmailAlreadyRegistered(Conflict):
    """Another user has this address."""

    code = "email_already_registered"
    title = "Email already registered"


class WrongPassword(NotAllowed):
    """Somebody who is signed in did not know the password."""

    code = "wrong_password"
    title = "The password is wrong"


class AdminRequired(NotAllowed):
    """Only operators may do this."""

    code = "admin_required"
    title = "This needs the role admin"


class RegistrationClosed(NotAllowed):
    """Users are created by operators alone here."""

    code = "registration_closed"
    title = "Registration is closed"


@dataclass(slots=True, kw_only=True)
class User(Aggregate):
    """Who somebody is, how they prove it, and whether they may come in.

    `security_epoch` counts the changes of anything that guards the user. A session remembers the epoch in which it
    began and is dead in every later one.
    """

    id: UserId
    email: EmailAddress
    email_verified_at: datetime | None = None
    password_hash: PasswordHash | None
    display_name: str | None = None
    locale: str | None = None
    roles: frozenset[str] = frozenset()
    security_epoch: int = 0
    suspended_at: datetime | None = None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def register(
        cls,
        *,
        id: UserId,
        email: EmailAddress,
        password_hash: PasswordHash,
        at: datetime,
        display_name: str | None = None,
        locale: str | None = None,
        roles: frozenset[str] = frozenset(),
        email_verified: bool = False,
    ) -> Self:
        """A new user.

        Raises: InvalidFields.
        """
        user = cls(
            id=id,
            email=email,
            email_verified_at=at if email_verified else None,
            password_hash=password_hash,
            display_name=profile.display_name(display_name),
            locale=profile.locale(locale),
            roles=roles,
            created_at=at,
            updated_at=at,
        )
        user.record(UserRegistered(user_id=id, occurred_at=at, roles=roles))
        return user

    @property
    def email_verified(self) -> bool:
        """Whether the address has been proven to be the user's."""
        return self.email_verified_at is not None

    @property
    def is_active(self) -> bool:
        """Whether the user may sign in and use sessions."""
        return self.suspended_at is None

    @property
    def is_admin(self) -> bool:
        """Whether the user may do what operators do."""
        return ADMIN in self.roles

    def expect_version(self, version: int) -> None:
        """Make sure that the caller speaks about this very state.

        Raises: StaleVersion.
        """
        if version != self.version:
            raise StaleVersion

    def update_profile(self, *, at: datetime, **changes: Unpack[ProfileChanges]) -> bool:
        """Change what the user says about themselves. False when it was all said before.

        Raises: InvalidFields.
        """
        display_name = profile.display_name(changes.get("display_name", self.display_name))
        locale = profile.locale(changes.get("locale", self.locale))
        differs = {"display_name": display_name != self.display_name, "locale": locale != self.locale}
        changed = tuple(name for name, differently in differs.items() if differently)
        if changed:
            self.display_name, self.locale, self.updated_at = display_name, locale, at
            self.record(UserProfileUpdated(user_id=self.id, occurred_at=at, changed=changed))
        return bool(changed)

    def rehash_password(self, password_hash: PasswordHash) -> None:
        """Keep the same password under newer hashing parameters: not a change that anybody should notice."""
        self.password_hash = password_hash

    def change_password(self, password_hash: PasswordHash, *, at: datetime) -> None:
        """Replace the password. Every session of today is dead, but one that `Session.carry_on`s."""
        self.password_hash = password_hash
        self.updated_at = at
        self.security_epoch += 1
        self.record(PasswordChanged(user_id=self.id, occurred_at=at))

    def suspend(self, *, at: datetime) -> None:
        """Keep the user out until reinstated; every session of today is dead for good. Repeating it is harmless."""
        if self.suspended_at is None:
            self.suspended_at = self.updated_at = at
            self.security_epoch += 1
            self.record(UserSuspended(user_id=self.id, occurred_at=at))

    def reinstate(self, *, at: datetime) -> None:
        """Let a suspended user in again. Repeating it is harmless."""
        if self.suspended_at is not None:
            self.suspended_at = None
            self.updated_at = at
            self.record(UserReinstated(user_id=self.id, occurred_at=at))
