"""Signing keys in memory."""

import copy
from collections.abc import Sequence

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from domain.signing.signing_key import ActiveSigningKeyExists, KeyState, SigningKey

_ACTIVE = "the one active signing key"


class MemorySigningKeyRepository:
    """`SigningKeyRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, key: SigningKey) -> None:
        row = row_of(key)

        def write(state: State) -> None:
            add_row(state.signing_keys, row.id, row)
            _expect_only_active(state, row)

        await self._block.write(write, row.id, *([_ACTIVE] if row.state is KeyState.ACTIVE else []))
        await self._audit.append_all(key.collect_events())

    async def save(self, key: SigningKey) -> None:
        row = next_row_of(key)

        def write(state: State) -> None:
            replace_row(state.signing_keys, row.id, row)
            _expect_only_active(state, row)

        await self._block.write(write, row.id, *([_ACTIVE] if row.state is KeyState.ACTIVE else []))
        key.version = row.version
        await self._audit.append_all(key.collect_events())

    async def lock_all(self) -> Sequence[SigningKey]:
        await self._block.lock(*sorted(self._block.state().signing_keys))
        return await self.all()

    async def all(self) -> Sequence[SigningKey]:
        keys = self._block.state().signing_keys.values()
        return copy.deepcopy(sorted(keys, key=lambda key: (key.created_at, key.id)))


def _expect_only_active(state: State, row: SigningKey) -> None:
    others = (other for other in state.signing_keys.values() if other.id != row.id)
    if row.state is KeyState.ACTIVE and any(other.state is KeyState.ACTIVE for other in others):
        raise ActiveSigningKeyExists
