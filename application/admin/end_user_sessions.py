"""Ending all sessions of somebody."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.sessions.session import EndReason, SessionPolicy


class EndUserSessions:
    """Let an operator end every session of a user."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: SessionPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(self, *, user_id: UserId, by: UserId | None = None) -> None:
        """End them. Doing it again changes nothing.

        Raises: UserNotFound.
        """
        now = self._clock.now()
        used_after = now - self._policy.idle_lifetime
        async with self._unit_of_work.begin() as tx:
            await tx.users.lock(user_id)
            for session in await tx.sessions.lock_live_of(user_id, at=now, used_after=used_after):
                if session.end(reason=EndReason.ENDED_BY_OPERATOR, at=now, by=by):
                    await tx.sessions.save(session)
