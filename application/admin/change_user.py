"""Changing a user."""

from datetime import datetime
from typing import TypedDict, Unpack

from application.admin.last_admin import lock_unless_last_admin
from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.randomness import Randomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import EmailChangeId, UserId
from domain.users.email_address import EmailAddress
from domain.users.email_change import EmailChange
from domain.users.profile import ProfileChanges
from domain.users.roles import ADMIN
from domain.users.user import User


class UserChanges(TypedDict, total=False):
    """What to change: an absent key leaves it alone."""

    display_name: str | None
    locale: str | None
    email: str
    email_verified: bool
    roles: frozenset[str]


class ChangeUser:
    """Let an operator change what is known about a user, and what the user may do."""

    def __init__(self, unit_of_work: UnitOfWork, emails: EmailParser, clock: Clock, randomness: Randomness) -> None:
        self._unit_of_work = unit_of_work
        self._emails = emails
        self._clock = clock
        self._randomness = randomness

    async def execute(
        self,
        *,
        user_id: UserId,
        expected_version: int | None = None,
        by: UserId | None = None,
        **changes: Unpack[UserChanges],
    ) -> User:
        """The user, changed; the version stays where nothing was. Without `by`, it is the command line.

        A new address counts as proven only if that is said as well.

        Raises: UserNotFound, StaleVersion, InvalidFields, EmailAlreadyRegistered, LastAdmin, ConcurrentUpdate.
        """
        email = self._emails.parse(changes["email"]) if "email" in changes else None
        now = self._clock.now()
        profile = ProfileChanges()
        if "display_name" in changes:
            profile["display_name"] = changes["display_name"]
        if "locale" in changes:
            profile["locale"] = changes["locale"]
        async with self._unit_of_work.begin() as tx:
            loses_admin = "roles" in changes and ADMIN not in changes["roles"]
            user = await (lock_unless_last_admin(tx, user_id, at=now) if loses_admin else tx.users.lock(user_id))
            if expected_version is not None:
                user.expect_version(expected_version)
            changed = [user.update_profile(at=now, by=by, **profile)]
            if "roles" in changes:
                changed.append(user.change_roles(changes["roles"], at=now, by=by))
            if email is not None:
                changed.append(await self._move(tx, user, email, now, by))
            if "email_verified" in changes:
                changed.append(user.set_email_verified(changes["email_verified"], at=now, by=by))
            if any(changed):
                await tx.users.save(user)
        return user

    async def _move(self, tx: Transaction, user: User, email: EmailAddress, now: datetime, by: UserId | None) -> bool:
        if email == user.email:
            if email.display == user.email.display:
                return False
            user.respell_email(email, at=now, by=by)
            return True
        change = EmailChange(
            id=EmailChangeId(self._randomness.uuid(at=now)),
            user_id=user.id,
            session_id=None,
            security_epoch=user.security_epoch,
            old=user.email,
            old_is_verified=user.email_verified,
            new=email,
            requested_at=now,
        )
        # What operators set is not undone from an older mailbox: every move and every way back ends.
        await tx.email_changes.remove(user.id)
        await tx.email_changes.add(change)
        user.set_email(change, at=now, by=by)
        return True
