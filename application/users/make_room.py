"""Whose an address is that two want."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.users.email_address import EmailAddress
from domain.users.user import EmailAlreadyRegistered, User
from domain.users.user_events import UserErased


async def make_room(tx: Transaction, address: EmailAddress, *, user: User, at: datetime) -> None:
    """See to it that no other user has an address whose mailbox this one has just proven.

    One who merely registered it, and has proven nothing, is erased: or anybody could keep others from their own address
    by typing it in first (LG-09).

    Raises: EmailAlreadyRegistered where another user has proven it too, or is one with whom operators had to do.
    """
    holder = await tx.users.find_by_email(address)
    if holder is None or holder.id == user.id:
        return
    holder = await tx.users.lock(holder.id)
    if holder.email != address:
        return
    if holder.email_verified or holder.roles or not holder.is_active:
        raise EmailAlreadyRegistered
    await tx.audit.append(UserErased(user_id=holder.id, occurred_at=at))
    await tx.audit.forget(holder.id)
    await tx.users.remove(holder.id)
