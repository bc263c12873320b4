"""Ending one of one's own sessions."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId, UserId
from domain.sessions.session import EndReason, SessionNotFound


class EndSession:
    """Let users end a session of theirs from another one."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId) -> None:
        """End the session.

        Raises: SessionNotFound, also for one that is somebody else's or over (AD-02).
        """
        async with self._unit_of_work.begin() as tx:
            session = await tx.sessions.lock(session_id)
            if session.user_id != user_id or not session.end(reason=EndReason.ENDED_BY_USER, at=self._clock.now()):
                raise SessionNotFound
            await tx.sessions.save(session)
