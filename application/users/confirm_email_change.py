"""Moving to another address."""

from datetime import datetime

from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.recovery.use_token import use_token_of_change
from domain.ids import SessionId
from domain.recovery.one_time_token import OneTimeTokenSecret, Purpose, invalid_token
from domain.sessions.session import Session, SessionNotFound
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import User

_PURPOSE = Purpose.CONFIRM_EMAIL_CHANGE


class ConfirmEmailChange:
    """Let the user get mail at the new address, which the token proves. Other sessions than the asking one end."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, token: str) -> User:
        """The user at the new address. If another user has come to have it meanwhile, the token is as good as none.

        Raises: InvalidToken.
        """
        secret = OneTimeTokenSecret.parse(token, purpose=_PURPOSE)
        if secret is None:
            raise invalid_token()
        try:
            return await self._move(secret)
        except EmailAlreadyRegistered:
            raise invalid_token() from None

    async def _move(self, secret: OneTimeTokenSecret) -> User:
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, change = await use_token_of_change(tx, secret.digest(), _PURPOSE, at=now)
            asking = await _live(tx, user, change.session_id, at=now) if change.session_id is not None else None
            user.change_email(change, at=now)
            await tx.users.save(user)
            if asking is not None:
                asking.carry_on(user)
                await tx.sessions.save(asking)
        return user


async def _live(tx: Transaction, user: User, session_id: SessionId, *, at: datetime) -> Session | None:
    """The session if it is live, before the user's epoch moves on."""
    try:
        session = await tx.sessions.lock(session_id)
    except SessionNotFound:
        return None
    return session if session.is_live(user=user, at=at) else None
