"""The audit log in memory."""

import itertools
from collections.abc import Iterable, Sequence
from uuid import UUID

from adapters.memory.store import Snapshot, State, Write
from domain.audit.audit_entry import AuditEntry
from domain.events import Event
from domain.ids import UserId

_numbers = itertools.count(1)


class MemoryAuditLog:
    """`AuditLog` on a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def append(self, event: Event) -> None:
        self.append_all([event])

    def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        for event in events:
            entry = AuditEntry(
                id=UUID(int=next(_numbers)),
                event=event.name,
                user_id=event.user_id,
                occurred_at=event.occurred_at,
                details=event.details(),
            )
            self._snapshot.write(_appending(entry))
            self._snapshot.events.append(event)

    async def of_user(self, user_id: UserId, *, limit: int) -> Sequence[AuditEntry]:
        entries = [entry for entry in self._snapshot.state.audit if entry.user_id == user_id]
        return entries[::-1][:limit]


def _appending(entry: AuditEntry) -> Write:
    def write(state: State) -> None:
        state.audit.append(entry)

    return write
