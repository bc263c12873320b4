"""Signing keys in memory."""

import copy
from collections.abc import Sequence

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, expect_free
from domain.errors import ConcurrentUpdate
from domain.signing.signing_key import ActiveSigningKeyExists, KeyState, SigningKey

_ACTIVE = "the one active signing key"


class MemorySigningKeyRepository:
    """`SigningKeyRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, key: SigningKey) -> None:
        row = copy.deepcopy(key)
        row.collect_events()

        def write(state: State) -> None:
            expect_free(row.id, state.signing_keys)
            _expect_only_active(state, row)
            state.signing_keys[row.id] = row

        await self._block.write(write, row.id, *([_ACTIVE] if row.state is KeyState.ACTIVE else []))
        await self._audit.append_all(key.collect_events())

    async def save(self, key: SigningKey) -> None:
        row, loaded = copy.deepcopy(key), key.version
        row.collect_events()
        row.version = loaded + 1

        def write(state: State) -> None:
            if row.id not in state.signing_keys or state.signing_keys[row.id].version != loaded:
                raise ConcurrentUpdate
            _expect_only_active(state, row)
            state.signing_keys[row.id] = row

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
