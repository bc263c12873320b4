"""Keeping somebody who can act."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.errors import ConcurrentUpdate
from domain.ids import UserId
from domain.users.suspension import LastAdmin
from domain.users.user import User


async def lock_unless_last_admin(tx: Transaction, user_id: UserId, *, at: datetime) -> User:
    """The user, locked, whom nothing keeps from being shut out or losing the role: there is another operator (AD-05).

    The operators are locked first and in one order, so that two who shut each other out come one after the other.

    Raises: LastAdmin, UserNotFound, ConcurrentUpdate.
    """
    if not (await tx.users.get(user_id)).is_admin:
        user = await tx.users.lock(user_id)
        if user.is_admin:
            # Since a moment ago: then the operators would have to be locked before them.
            raise ConcurrentUpdate
        return user
    admins = await tx.users.lock_admins()
    user = await tx.users.lock(user_id)
    others = (admin for admin in admins if admin.id != user_id)
    if user.can_operate(at=at) and not any(admin.can_operate(at=at) for admin in others):
        raise LastAdmin
    return user
