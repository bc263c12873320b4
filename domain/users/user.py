"""The user: a person who can sign in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self, Unpack

from domain.errors import NotFound, StaleVersion
from domain.events import Aggregate
from domain.ids import UserId
from domain.users import profile
from domain.users.deletion import DeletionNotScheduled, DeletionPolicy
from domain.users.email_address import EmailAddress
from domain.users.email_change import EmailChange, EmailChanged, EmailChangeReverted
from domain.users.password import PasswordHash
from domain.users.profile import ProfileChanges
from domain.users.roles import ADMIN
from domain.users.roles import roles as checked_roles
from domain.users.suspension import AlreadySuspended, NotSuspended, Suspension
from domain.users.user_events import (
    DeletionCancelled,
    DeletionScheduled,
    EmailVerificationSet,
    EmailVerified,
    PasswordChanged,
    PasswordDiscarded,
    PasswordReset,
    UserEmailSet,
    UserInvited,
    UserProfileUpdated,
    UserRegistered,
    UserReinstated,
    UserRolesChanged,
    UserSuspended,
)


class UserNotFound(NotFound):
    """No such user."""

    code = "user_not_found"
    title = "There is no such user"


@dataclass(slots=True, kw_only=True)
class User(Aggregate):
    """Who somebody is, how they prove it, and whether they may come in.

    `security_epoch` counts the changes of anything that guards the user. A session remembers the epoch in which it
    began and is dead in every later one. `source_id` is what a former system called the user. `last_seen_at` is right
    to an hour or so, begins with the user, and moves without counting a version.
    """

    id: UserId
    email: EmailAddress
    email_verified_at: datetime | None = None
    password_hash: PasswordHash | None
    display_name: str | None = None
    locale: str | None = None
    roles: frozenset[str] = frozenset()
    security_epoch: int = 0
    suspension: Suspension | None = None
    deletion_due_at: datetime | None = None
    source_id: str | None = None
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime

    @classmethod
    def register(
        cls,
        *,
        id: UserId,
        email: EmailAddress,
        password_hash: PasswordHash | None,
        at: datetime,
        display_name: str | None = None,
        locale: str | None = None,
        roles: frozenset[str] = frozenset(),
        email_verified: bool = False,
        by: UserId | None = None,
    ) -> Self:
        """A new user; without a password, one who is asked to choose it.

        Raises: InvalidFields.
        """
        user = cls(
            id=id,
            email=email,
            email_verified_at=at if email_verified else None,
            password_hash=password_hash,
            display_name=profile.display_name(display_name),
            locale=profile.locale(locale),
            roles=checked_roles(roles),
            created_at=at,
            updated_at=at,
            last_seen_at=at,
        )
        user.record(UserRegistered(user_id=id, occurred_at=at, roles=roles, by=by))
        if password_hash is None:
            user.record(UserInvited(user_id=id, occurred_at=at, by=by))
        return user

    @property
    def email_verified(self) -> bool:
        """Whether the address has been proven to be the user's."""
        return self.email_verified_at is not None

    @property
    def is_active(self) -> bool:
        """Whether nobody has suspended the user. A suspension that has come to its end is lifted soon after."""
        return self.suspension is None

    def is_suspended(self, *, at: datetime) -> bool:
        """Whether the user is kept out at that moment."""
        return self.suspension is not None and self.suspension.holds(at=at)

    def may_come_in(self, *, at: datetime) -> bool:
        """Whether anything opens for the user at that moment: not once the deletion is due, erased by then or not."""
        return not self.is_suspended(at=at) and not self.is_due(at=at)

    def can_operate(self, *, at: datetime) -> bool:
        """Whether the user is an operator who can act: not about to leave, nor invited at an address nobody proved."""
        has_a_way_in = self.password_hash is not None or self.email_verified
        return self.is_admin and has_a_way_in and self.may_come_in(at=at) and self.deletion_due_at is None

    def is_due(self, *, at: datetime) -> bool:
        """Whether the user asked to be deleted, and the grace period is over at that moment."""
        return self.deletion_due_at is not None and at >= self.deletion_due_at

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

    def update_profile(self, *, at: datetime, by: UserId | None = None, **changes: Unpack[ProfileChanges]) -> bool:
        """Change what the user says about themselves. False when it was all said before.

        Raises: InvalidFields.
        """
        display_name = profile.display_name(changes.get("display_name", self.display_name))
        locale = profile.locale(changes.get("locale", self.locale))
        differs = {"display_name": display_name != self.display_name, "locale": locale != self.locale}
        changed = tuple(name for name, differently in differs.items() if differently)
        if changed:
            self.display_name, self.locale, self.updated_at = display_name, locale, at
            self.record(UserProfileUpdated(user_id=self.id, occurred_at=at, changed=changed, by=by))
        return bool(changed)

    def change_roles(self, names: Iterable[str], *, at: datetime, by: UserId | None = None) -> bool:
        """Have these roles and no others, from the next request on. False where they are the same.

        Raises: InvalidFields.
        """
        roles, before = checked_roles(names), self.roles
        if roles != before:
            self.roles, self.updated_at = roles, at
            self.record(
                UserRolesChanged(user_id=self.id, occurred_at=at, given=roles - before, taken=before - roles, by=by)
            )
        return roles != before

    def set_email(self, change: EmailChange, *, at: datetime, by: UserId | None = None) -> None:
        """Get mail elsewhere, by an operator's hand and so without a proof. Every session of today is dead."""
        self._move_to(change.new, at=at)
        self.email_verified_at = None
        self.record(UserEmailSet(user_id=self.id, occurred_at=at, change_id=change.id, by=by))

    def respell_email(self, email: EmailAddress, *, at: datetime, by: UserId | None = None) -> None:
        """Write the same address otherwise: mail goes to it as it is written."""
        self.email, self.updated_at = email, at
        self.record(UserProfileUpdated(user_id=self.id, occurred_at=at, changed=("email",), by=by))

    def set_email_verified(self, verified: bool, *, at: datetime, by: UserId | None = None) -> bool:  # noqa: FBT001
        """Take the address as proven, or no longer, on an operator's word. False where it is so already."""
        if verified is self.email_verified:
            return False
        self.email_verified_at = at if verified else None
        self.updated_at = at
        self.record(EmailVerificationSet(user_id=self.id, occurred_at=at, verified=verified, by=by))
        return True

    def rehash_password(self, password_hash: PasswordHash) -> None:
        """Keep the same password under newer hashing parameters: not a change that anybody should notice."""
        self.password_hash = password_hash

    def enter_new_epoch(self, *, at: datetime) -> None:
        """Have what guards the user changed. Every session of today is dead, but one that `Session.carry_on`s."""
        self.updated_at = at
        self.security_epoch += 1

    def change_password(self, password_hash: PasswordHash, *, at: datetime) -> None:
        """Replace the password. Every session of today is dead, but one that `Session.carry_on`s."""
        self.password_hash = password_hash
        self.enter_new_epoch(at=at)
        self.record(PasswordChanged(user_id=self.id, occurred_at=at))

    def discard_password(self, *, at: datetime, by: UserId | None = None) -> None:
        """Have no password until another one is chosen by mail. Every session of today is dead (PW-10)."""
        self.password_hash = None
        self.enter_new_epoch(at=at)
        self.record(PasswordDiscarded(user_id=self.id, occurred_at=at, by=by))

    def verify_email(self, *, by_own_hand: bool, at: datetime) -> None:
        """Take the address as proven. Repeating it is harmless.

        `by_own_hand` is whether the proof comes from whoever attached the password: through a session of theirs, or
        with it. Otherwise that password and all that came of it may be a stranger's, who registered somebody else's
        address and waited: it goes (LG-09).
        """
        if self.email_verified_at is None:
            self.email_verified_at = self.updated_at = at
            if not by_own_hand:
                self.password_hash = None
                self.security_epoch += 1
            self.record(EmailVerified(user_id=self.id, occurred_at=at, discarded=not by_own_hand))

    def reset_password(self, password_hash: PasswordHash, *, at: datetime) -> None:
        """Replace the password on proof of the mailbox, which verifies the address. Every session of today is dead."""
        self.password_hash = password_hash
        self.email_verified_at = self.email_verified_at or at
        self.enter_new_epoch(at=at)
        self.record(PasswordReset(user_id=self.id, occurred_at=at))

    def change_email(self, change: EmailChange, *, at: datetime) -> None:
        """Move to the proven new address. Every session of today is dead, but one that `Session.carry_on`s."""
        self._move_to(change.new, at=at)
        self.record(EmailChanged(user_id=self.id, occurred_at=at, change_id=change.id))

    def revert_email(self, change: EmailChange, *, at: datetime) -> None:
        """Go back to the address of before, or stay there, on proof of its mailbox.

        Whoever asked for the change knew the password, and was not the owner of that mailbox: it goes too. So does a
        deletion that they may have asked for.
        """
        self._move_to(change.old, at=at)
        self.password_hash = None
        self.deletion_due_at = None
        self.record(EmailChangeReverted(user_id=self.id, occurred_at=at, change_id=change.id))

    def _move_to(self, proven: EmailAddress, *, at: datetime) -> None:
        # The one place that writes the address of an existing user: old proofs and mailed tokens die here (EM-05).
        self.email = proven
        self.email_verified_at = self.updated_at = at
        self.security_epoch += 1

    def schedule_deletion(self, *, policy: DeletionPolicy, at: datetime, by: UserId | None = None) -> None:
        """Have the user erased after the grace period; every session of today is dead. Repeating it moves nothing."""
        if self.deletion_due_at is None:
            self.deletion_due_at = at + policy.grace
            self.enter_new_epoch(at=at)
            self.record(DeletionScheduled(user_id=self.id, occurred_at=at, by=by))

    def cancel_deletion(self, *, at: datetime, by: UserId | None = None) -> None:
        """Stay.

        Raises: DeletionNotScheduled.
        """
        if self.deletion_due_at is None:
            raise DeletionNotScheduled
        self.deletion_due_at, self.updated_at = None, at
        self.record(DeletionCancelled(user_id=self.id, occurred_at=at, by=by))

    def suspend(
        self, *, reason: str, at: datetime, until: datetime | None = None, by: UserId | None = None
    ) -> Suspension:
        """Keep the user out; every session of today is dead for good.

        Raises: AlreadySuspended, InvalidFields.
        """
        if self.is_suspended(at=at):
            raise AlreadySuspended
        self.suspension = Suspension(since=at, reason=reason, until=until)
        self.enter_new_epoch(at=at)
        ends = until.isoformat() if until is not None else None
        self.record(UserSuspended(user_id=self.id, occurred_at=at, by=by, until=ends, explanation=reason))
        return self.suspension

    def reinstate(self, *, at: datetime, by: UserId | None = None) -> None:
        """Let a suspended user in again.

        Raises: NotSuspended.
        """
        if self.suspension is None:
            raise NotSuspended
        self.suspension, self.updated_at = None, at
        self.record(UserReinstated(user_id=self.id, occurred_at=at, by=by))
