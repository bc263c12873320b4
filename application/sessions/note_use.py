"""Noting that a session is in use."""

from contextlib import suppress
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.note_seen import NoteSeen
from domain.errors import DomainError
from domain.sessions.principal import Principal

_AT_MOST_EVERY = timedelta(minutes=1)


class NoteUse:
    """Keep up when a session was last used, a minute more or less, and its user seen.

    For after the answer: nobody waits for it.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, note_seen: NoteSeen) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._note_seen = note_seen

    def is_due(self, principal: Principal) -> bool:
        """Whether the last note is old enough."""
        return self._clock.now() >= principal.session.last_used_at + _AT_MOST_EVERY

    async def execute(self, *, principal: Principal) -> None:
        """Write it down, once among all who see at the same time that it is due. Not doing so hurts nobody."""
        now = self._clock.now()
        with suppress(DomainError):
            async with self._unit_of_work.begin() as tx:
                await tx.sessions.note_use(principal.session_id, at=now, unless_after=now - _AT_MOST_EVERY)
        # In a transaction of its own: whoever has the user locked may be waiting for the session.
        if self._note_seen.is_due(principal.user):
            await self._note_seen.execute(user=principal.user)
