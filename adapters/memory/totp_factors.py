"""Authenticator apps in memory."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from domain.ids import FactorId, UserId
from domain.mfa.totp_factor import TotpFactor


class MemoryTotpFactorRepository:
    """`TotpFactorRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, factor: TotpFactor) -> None:
        row = row_of(factor)

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            add_row(state.totp_factors, row.id, row)

        await self._block.write(write, row.id)
        await self._audit.append_all(factor.collect_events())

    async def save(self, factor: TotpFactor) -> None:
        row = next_row_of(factor)

        def write(state: State) -> None:
            before = replace_row(state.totp_factors, row.id, row)
            steps = [step for step in (row.last_step, before.last_step) if step is not None]
            state.totp_factors[row.id] = replace(row, last_step=max(steps, default=None))

        await self._block.write(write, row.id)
        factor.version = row.version
        await self._audit.append_all(factor.collect_events())

    async def remove(self, factor: TotpFactor) -> None:
        await self._block.remove(lambda state: state.totp_factors, factor.id)
        await self._audit.append_all(factor.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[TotpFactor]:
        factors = [factor for factor in self._block.state().totp_factors.values() if factor.user_id == user_id]
        return copy.deepcopy(sorted(factors, key=lambda factor: factor.id))

    async def use_step(self, factor_id: FactorId, step: int, *, at: datetime) -> bool:
        await self._block.lock(factor_id)
        factor = self._block.state().totp_factors.get(factor_id)
        if factor is None or not factor.is_active or (factor.last_step is not None and factor.last_step >= step):
            return False

        def write(state: State) -> None:
            state.totp_factors[factor_id] = replace(state.totp_factors[factor_id], last_step=step, last_used_at=at)

        await self._block.write(write, factor_id)
        return True

    async def use_up(self, step: int, *, limit: int) -> int:
        factors = self._block.state().totp_factors.values()
        behind = [row.id for row in factors if row.last_step is None or row.last_step < step][:limit]

        def write(state: State) -> None:
            for factor_id in behind:
                state.totp_factors[factor_id] = replace(state.totp_factors[factor_id], last_step=step)

        await self._block.write(write, *behind)
        return len(behind)

    async def purge(self, *, pending_since: datetime, limit: int) -> int:
        factors = self._block.state().totp_factors.values()
        old = [row.id for row in factors if not row.is_active and row.created_at < pending_since][:limit]
        return await self._block.remove(lambda state: state.totp_factors, *old)
