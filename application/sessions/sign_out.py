"""Signing out."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId
from domain.sessions.session import EndReason


class SignOut:
    """End a session: its access and refresh tokens open nothing from now on."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, session_id: SessionId) -> None:
        """End the session. Doing it again changes nothing.

        Raises: SessionNotFound.
        """
        async with self._unit_of_work.begin() as tx:
            session = await tx.sessions.lock(session_id)
            if session.end(reason=EndReason.SIGNED_OUT, at=self._clock.now()):
                await tx.sessions.save(session)
