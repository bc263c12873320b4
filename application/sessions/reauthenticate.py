"""Proving again who one is."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.check_password import CheckPassword
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId, UserId
from domain.sessions.session import AuthenticationMethod, Session


class Reauthenticate:
    """Let a user who is signed in prove who they are, for what is worth asking again."""

    def __init__(self, unit_of_work: UnitOfWork, check_password: CheckPassword, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._check_password = check_password
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId, password: str) -> Session:
        """The session, with the new proof.

        Raises: WrongPassword, Throttled, ThrottlesUnavailable, UserNotFound, SessionNotFound, ConcurrentUpdate,
            HashingBusy.
        """
        async with self._unit_of_work.read() as tx:
            user = await tx.users.get(user_id)
        await self._check_password.execute(user=user, session_id=session_id, password=password)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            session = await tx.sessions.lock(session_id)
            if not session.is_live(user=await tx.users.get(user_id), at=now):
                # The session or the password ended while the password was being checked.
                raise ConcurrentUpdate
            session.reauthenticate(methods=(AuthenticationMethod.PASSWORD,), at=now)
            await tx.sessions.save(session)
        return session
