"""The audit log in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from adapters.memory.store import Block, State
from application.ports.jobs import Job, JobKind
from application.ports.randomness import Randomness
from domain.audit.audit_entry import PERSONAL_DETAILS, AuditEntry
from domain.events import Event
from domain.ids import AuditEntryId, UserId


class MemoryAuditLog:
    """`AuditLog` on a block."""

    def __init__(self, block: Block, randomness: Randomness, acted_on: Mapping[str, JobKind]) -> None:
        self._block = block
        self._randomness = randomness
        self._acted_on = acted_on

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        for event in events:
            entry = AuditEntry(
                id=AuditEntryId(self._randomness.uuid(at=event.occurred_at)),
                sequence=0,
                event=event.name,
                user_id=event.user_id,
                occurred_at=event.occurred_at,
                details=event.details(),
            )

            def write(state: State, entry: AuditEntry = entry) -> None:
                # None is ever taken away, so the next number is free.
                state.audit.append(replace(entry, sequence=len(state.audit) + 1))

            await self._block.write(write)
            self._block.events.append(event)
            if event.name in self._acted_on:
                self._block.jobs.append(Job(kind=self._acted_on[event.name], subject=entry.id))

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        return next((entry for entry in self._block.state().audit if entry.id == entry_id), None)

    async def of_user(
        self, user_id: UserId, *, before: int | None = None, limit: int | None = None
    ) -> Sequence[AuditEntry]:
        entries = [
            entry
            for entry in self._block.state().audit
            if entry.user_id == user_id and (before is None or entry.sequence < before)
        ]
        return entries[::-1][:limit]

    async def forget(self, user_id: UserId) -> None:
        def write(state: State) -> None:
            state.audit = [_forgotten(entry) if entry.user_id == user_id else entry for entry in state.audit]

        await self._block.write(write)


def _forgotten(entry: AuditEntry) -> AuditEntry:
    return replace(
        entry, details={name: value for name, value in entry.details.items() if name not in PERSONAL_DETAILS}
    )
