"""Erasing."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.ids import UserId
from domain.users.user_events import UserErased


async def erase_user(tx: Transaction, user_id: UserId, *, at: datetime, by: UserId | None = None) -> None:
    """Forget a locked user and all that belongs to them. What happened to the id remains written down (PR-02)."""
    await tx.audit.append(UserErased(user_id=user_id, occurred_at=at, by=by))
    await tx.audit.forget(user_id)
    await tx.users.remove(user_id)
