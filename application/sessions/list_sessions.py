"""Listing one's own sessions."""

from collections.abc import Sequence

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.sessions.session import Session, SessionPolicy


class ListSessions:
    """Show users where they are signed in."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: SessionPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(self, *, user_id: UserId) -> Sequence[Session]:
        """Every live session, last signed in first. There are never more than the limit for one user."""
        now = self._clock.now()
        async with self._unit_of_work.read() as tx:
            return await tx.sessions.live_of(user_id, at=now, used_after=now - self._policy.idle_lifetime)
