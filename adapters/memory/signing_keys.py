"""Signing keys in memory."""

import copy
from collections.abc import Sequence

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Snapshot, State
from domain.signing.signing_key import ActiveSigningKeyExists, KeyState, SigningKey


class MemorySigningKeyRepository:
    """`SigningKeyRepository` on a snapshot."""

    def __init__(self, snapshot: Snapshot, audit: MemoryAuditLog) -> None:
        self._snapshot = snapshot
        self._audit = audit

    async def add(self, key: SigningKey) -> None:
        events, row = key.collect_events(), copy.deepcopy(key)

        def write(state: State) -> None:
            active = (other for other in state.signing_keys.values() if other.state is KeyState.ACTIVE)
            if row.state is KeyState.ACTIVE and any(active):
                raise ActiveSigningKeyExists
            state.signing_keys[row.id] = row

        self._snapshot.write(write)
        self._audit.append_all(events)

    async def all(self) -> Sequence[SigningKey]:
        keys = self._snapshot.state.signing_keys.values()
        return copy.deepcopy(sorted(keys, key=lambda key: (key.created_at, key.id)))
