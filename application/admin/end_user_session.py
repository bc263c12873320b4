"""Ending somebody's session."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId, UserId
from domain.sessions.session import EndReason, SessionNotFound


class EndUserSession:
    """Let an operator end any session."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, session_id: SessionId, by: UserId | None = None) -> None:
        """End it.

        Raises: SessionNotFound, also for one that is over.
        """
        async with self._unit_of_work.begin() as tx:
            session = await tx.sessions.lock(session_id)
            if not session.end(reason=EndReason.ENDED_BY_OPERATOR, at=self._clock.now(), by=by):
                raise SessionNotFound
            await tx.sessions.save(session)
