"""Ending all of one's other sessions."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId, UserId
from domain.sessions.session import EndReason, SessionPolicy


class EndOtherSessions:
    """Let users end every session but the one through which they ask."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: SessionPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(self, *, user_id: UserId, keep: SessionId) -> None:
        """End them. Doing it again changes nothing."""
        now = self._clock.now()
        used_after = now - self._policy.idle_lifetime
        async with self._unit_of_work.begin() as tx:
            for session in await tx.sessions.lock_live_of(user_id, at=now, used_after=used_after):
                if session.id != keep and session.end(reason=EndReason.ENDED_BY_USER, at=now):
                    await tx.sessions.save(session)
