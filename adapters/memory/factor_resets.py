"""Resets of second factors, in memory."""

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, row_of
from domain.ids import UserId
from domain.mfa.factor_reset import FactorReset


class MemoryFactorResetRepository:
    """`FactorResetRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, reset: FactorReset) -> None:
        row = row_of(reset)

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            add_row(state.factor_resets, row.factor_id, row)

        await self._block.write(write, ("factor reset", row.factor_id))
        await self._audit.append_all(reset.collect_events())

    async def remove(self, reset: FactorReset) -> None:
        await self._block.write(
            lambda state: state.factor_resets.pop(reset.factor_id, None), ("factor reset", reset.factor_id)
        )
        await self._audit.append_all(reset.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[FactorReset]:
        return _in_order(row for row in self._block.state().factor_resets.values() if row.user_id == user_id)

    async def due(self, *, at: datetime, limit: int) -> Sequence[FactorReset]:
        return _in_order(row for row in self._block.state().factor_resets.values() if row.is_due(at=at))[:limit]


def _in_order(rows: Iterable[FactorReset]) -> list[FactorReset]:
    return copy.deepcopy(sorted(rows, key=lambda row: (row.due_at, row.factor_id)))
