"""Users in memory, many at a time."""

import copy
from collections.abc import Sequence

from adapters.memory.store import Block, State, add_row, row_of
from adapters.memory.users import expect_nobody_like, names_of
from application.ports.user_imports import Identities
from domain.ids import UserId
from domain.users.user import User


class MemoryBulkUserRepository:
    """`BulkUserRepository` on a block."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def taken(self, asked: Identities) -> Identities:
        found = [
            user
            for user in self._block.state().users.values()
            if user.id in asked.ids or user.source_id in asked.source_ids or user.email.canonical in asked.emails
        ]
        return Identities(
            ids={user.id for user in found},
            source_ids={user.source_id for user in found if user.source_id is not None},
            emails={user.email.canonical for user in found},
        )

    async def add_all(self, users: Sequence[User]) -> None:
        rows = [row_of(user) for user in users]

        def write(state: State) -> None:
            for row in rows:
                add_row(state.users, row.id, row)
                expect_nobody_like(row, state)

        await self._block.write(write, *(name for row in rows for name in names_of(row)))

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        users = sorted(self._block.state().users.values(), key=lambda user: user.id)
        return copy.deepcopy([user for user in users if after is None or user.id > after][:limit])
