"""Undoing a move to another address."""

from datetime import datetime, timedelta

from application.mfa.user_factors import factors_of, forget_factor
from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.recovery.use_token import use_token_of_change
from application.users.erase_user import erase_user
from domain.recovery.one_time_token import OneTimeTokenSecret, Purpose, invalid_token
from domain.users.email_change import EmailChange
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import User

_PURPOSE = Purpose.REVERT_EMAIL_CHANGE
_PREPARED_WITHIN = timedelta(days=1)


class RevertEmailChange:
    """Take the user back to the address of before, on proof of its mailbox, whether the move has happened yet or not.

    Whoever asked for the move knew the password: it is discarded, every session ends, and a reset is mailed to the old
    address. Second factors that came within the day before, or since, go too: they would keep the owner out, and a
    passkey the other one in. Older ones stay, for a mailbox alone does not stand for those (RC-07).
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, token: str) -> None:
        """Undo it.

        Raises: InvalidToken.
        """
        secret = OneTimeTokenSecret.parse(token, purpose=_PURPOSE)
        if secret is None:
            raise invalid_token()
        try:
            await self._go_back(secret)
        except EmailAlreadyRegistered:
            # Another user has proven the old address since.
            raise invalid_token() from None

    async def _go_back(self, secret: OneTimeTokenSecret) -> None:
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, change = await use_token_of_change(tx, secret.digest(), _PURPOSE, at=now)
            await _make_room(tx, change, user=user, at=now)
            user.revert_email(change, at=now)
            await tx.users.save(user)
            # And with it every move from wherever it led to, those that are only asked for among them: whoever was
            # there has no way back. The ways back from before stay good.
            await tx.email_changes.remove(user.id, requested_from=change.requested_at)
            await _take_away_new_factors(tx, user, since=change.requested_at - _PREPARED_WITHIN, at=now)


async def _take_away_new_factors(tx: Transaction, user: User, *, since: datetime, at: datetime) -> None:
    for factor in await factors_of(tx, user.id):
        if factor.created_at >= since:
            factor.remove(at=at)
            await forget_factor(tx, factor)


async def _make_room(tx: Transaction, change: EmailChange, *, user: User, at: datetime) -> None:
    """See to it that no other user has the address of before, whose mailbox has been proven twice by now.

    One who merely registered it since, and has proven nothing, is erased: or a thief could block the way back by typing
    it in.

    Raises: EmailAlreadyRegistered where another user has proven it too, or is one with whom operators had to do.
    """
    holder = await tx.users.find_by_email(change.old)
    if holder is None or holder.id == user.id:
        return
    holder = await tx.users.lock(holder.id)
    if holder.email != change.old:
        return
    if holder.email_verified or holder.roles or not holder.is_active or _is_there_by_an_operator(holder, change):
        raise EmailAlreadyRegistered
    await erase_user(tx, holder.id, at=at)


def _is_there_by_an_operator(holder: User, change: EmailChange) -> bool:
    """Whoever was here before the address became free, or has no password yet, cannot have registered it since."""
    return holder.created_at < change.requested_at or holder.password_hash is None
