"""Changes of address in memory."""

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.store import Block, State, add_row
from domain.ids import EmailChangeId, UserId
from domain.users.email_change import EmailChange


class MemoryEmailChangeRepository:
    """`EmailChangeRepository` on a block. Changes are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, change: EmailChange) -> None:
        def write(state: State) -> None:
            state.expect_user(change.user_id)
            add_row(state.email_changes, change.id, change)

        await self._block.write(write, change.id)

    async def find(self, change_id: EmailChangeId) -> EmailChange | None:
        return self._block.state().email_changes.get(change_id)

    async def remove(self, user_id: UserId, *, requested_from: datetime | None = None) -> None:
        changes = [row for row in self._block.state().email_changes.values() if row.user_id == user_id]
        await self._forget({row.id for row in changes if requested_from is None or row.requested_at >= requested_from})

    async def of_user(self, user_id: UserId, *, limit: int | None = None) -> Sequence[EmailChange]:
        changes = [change for change in self._block.state().email_changes.values() if change.user_id == user_id]
        return sorted(changes, key=lambda change: change.id, reverse=True)[:limit]

    async def purge(self, *, requested_before: datetime, limit: int) -> int:
        changes = self._block.state().email_changes.values()
        old = [change.id for change in changes if change.requested_at < requested_before][:limit]
        await self._forget(set(old))
        return len(old)

    async def _forget(self, ids: set[EmailChangeId]) -> None:
        tokens = self._block.state().one_time_tokens.values()

        def write(state: State) -> None:
            state.email_changes = {key: row for key, row in state.email_changes.items() if key not in ids}
            state.remove_orphans()

        await self._block.write(write, *ids, *(token.id for token in tokens if token.email_change_id in ids))
