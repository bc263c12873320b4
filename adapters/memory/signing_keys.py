"""Signing keys in memory."""

import copy
from collections.abc import Sequence

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State
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
            active = (other for other in state.signing_keys.values() if other.state is KeyState.ACTIVE)
            if row.state is KeyState.ACTIVE and any(active):
                raise ActiveSigningKeyExists
            state.signing_keys[row.id] = row

        await self._block.write(write, row.id, *([_ACTIVE] if row.state is KeyState.ACTIVE else []))
        await self._audit.append_all(key.collect_events())

    async def all(self) -> Sequence[SigningKey]:
        keys = self._block.state().signing_keys.values()
        return copy.deepcopy(sorted(keys, key=lambda key: (key.created_at, key.id)))
