"""Losing no message."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork

# Far longer than the longest wait between two tries.
_STRANDED_AFTER = timedelta(hours=1)
# A relay that was away for a day leaves more behind than one statement has time for.
_AT_ONCE = 1_000


class RequeueStrandedMessages:
    """Queue the delivery of messages that wait and that no job seems to care for.

    A job that is lost, parked or taken away by hand delays its message, and does no more.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many there were."""
        now, requeued = self._clock.now(), 0
        while True:
            async with self._unit_of_work.begin() as tx:
                found = await tx.messages.requeue(untouched_since=now - _STRANDED_AFTER, at=now, limit=_AT_ONCE)
            requeued += found
            if found < _AT_ONCE:
                return requeued
