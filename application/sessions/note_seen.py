"""Noting that a user is there."""

from contextlib import suppress
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.errors import DomainError
from domain.users.user import User

SEEN_AT_MOST_EVERY = timedelta(hours=1)


class NoteSeen:
    """Keep up when a user was last here, an hour more or less. For after the answer: nobody waits for it.

    Whoever signs in is noted by what opens their session.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    def is_due(self, user: User) -> bool:
        """Whether the last note is old enough."""
        return self._clock.now() >= user.last_seen_at + SEEN_AT_MOST_EVERY

    async def execute(self, *, user: User) -> None:
        """Write it down, once among all who see at the same time that it is due. Not doing so hurts nobody."""
        now = self._clock.now()
        with suppress(DomainError):
            async with self._unit_of_work.write() as tx:
                await tx.users.note_seen(user.id, at=now, unless_after=now - SEEN_AT_MOST_EVERY)
