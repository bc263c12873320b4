"""Transactions in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.refresh_tokens import MemoryRefreshTokenRepository
from adapters.memory.sessions import MemorySessionRepository
from adapters.memory.signing_keys import MemorySigningKeyRepository
from adapters.memory.store import Snapshot, Store
from adapters.memory.users import MemoryUserRepository
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.events import Event


class MemoryTransaction:
    """All repositories on one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.audit = MemoryAuditLog(snapshot)
        self.users = MemoryUserRepository(snapshot, self.audit)
        self.sessions = MemorySessionRepository(snapshot, self.audit)
        self.refresh_tokens = MemoryRefreshTokenRepository(snapshot)
        self.signing_keys = MemorySigningKeyRepository(snapshot, self.audit)


class MemoryUnitOfWork:
    """`UnitOfWork` in memory. `on_commit` is told the events of each transaction once they count."""

    def __init__(self, on_commit: Callable[[Sequence[Event]], None] = lambda _: None) -> None:
        self._store = Store()
        self._on_commit = on_commit

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        snapshot = Snapshot(self._store, writable=True)
        try:
            yield MemoryTransaction(snapshot)
            snapshot.commit()
        finally:
            snapshot.close()
        self._on_commit(snapshot.events)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        yield MemoryTransaction(Snapshot(self._store, writable=False))


def _is_unit_of_work(memory: MemoryUnitOfWork) -> UnitOfWork:
    return memory
