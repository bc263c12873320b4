"""The audit log in memory."""

from collections.abc import Iterable, Sequence

from adapters.memory.store import Block, State
from application.ports.randomness import Randomness
from domain.audit.audit_entry import AuditEntry
from domain.events import Event
from domain.ids import UserId


class MemoryAuditLog:
    """`AuditLog` on a block."""

    def __init__(self, block: Block, randomness: Randomness) -> None:
        self._block = block
        self._randomness = randomness

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        for event in events:
            entry = AuditEntry(
                id=self._randomness.uuid(at=event.occurred_at),
                event=event.name,
                user_id=event.user_id,
                occurred_at=event.occurred_at,
                details=event.details(),
            )

            def write(state: State, entry: AuditEntry = entry) -> None:
                state.audit.append(entry)

            await self._block.write(write)
            self._block.events.append(event)

    async def of_user(self, user_id: UserId, *, limit: int) -> Sequence[AuditEntry]:
        entries = [entry for entry in self._block.state().audit if entry.user_id == user_id]
        return entries[::-1][:limit]
