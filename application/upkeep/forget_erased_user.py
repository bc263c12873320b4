"""Forgetting for good."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import AuditEntryId

# Longer than any request that knew the user may take to write down what it was about.
_SETTLED = timedelta(minutes=1)


class ForgetErasedUser:
    """Take out what requests still wrote down about a user while they were being erased (PR-02)."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, event_id: AuditEntryId) -> timedelta | None:
        """How long to wait until no such request is left; None when it is done."""
        async with self._unit_of_work.begin() as tx:
            entry = await tx.audit.find(event_id)
            if entry is None or entry.user_id is None:
                return None
            waited = self._clock.now() - entry.occurred_at
            if waited < _SETTLED:
                return _SETTLED - waited
            await tx.audit.forget(entry.user_id)
        return None
