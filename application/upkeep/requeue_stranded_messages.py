"""Losing no message."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.upkeep.in_batches import BATCH, in_batches

# Far longer than the longest wait between two tries.
_STRANDED_AFTER = timedelta(hours=1)


class RequeueStrandedMessages:
    """Queue the delivery of messages that wait and that no job seems to care for.

    A job that is lost, parked or taken away by hand delays its message, and does no more.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many there were."""
        now = self._clock.now()
        return await in_batches(
            self._unit_of_work,
            lambda tx: tx.messages.requeue(untouched_since=now - _STRANDED_AFTER, at=now, limit=BATCH),
        )
