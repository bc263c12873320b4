"""Transactions in memory."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.audit_chain import MemoryAuditChain
from adapters.memory.bulk_users import MemoryBulkUserRepository
from adapters.memory.email_changes import MemoryEmailChangeRepository
from adapters.memory.factor_resets import MemoryFactorResetRepository
from adapters.memory.idempotent_requests import MemoryIdempotentRequestRepository
from adapters.memory.jobs import MemoryJobs
from adapters.memory.messages import MemoryMessageRepository
from adapters.memory.one_time_tokens import MemoryOneTimeTokenRepository
from adapters.memory.passkey_ceremonies import MemoryPasskeyCeremonyRepository
from adapters.memory.randomness import MemoryRandomness
from adapters.memory.recovery_codes import MemoryRecoveryCodeRepository
from adapters.memory.refresh_tokens import MemoryRefreshTokenRepository
from adapters.memory.sessions import MemorySessionRepository
from adapters.memory.sign_in_attempts import MemorySignInAttemptRepository
from adapters.memory.sign_in_challenges import MemorySignInChallengeRepository
from adapters.memory.signing_keys import MemorySigningKeyRepository
from adapters.memory.store import Block, Store
from adapters.memory.totp_factors import MemoryTotpFactorRepository
from adapters.memory.user_imports import MemoryUserImportRepository
from adapters.memory.user_passkeys import MemoryPasskeyRepository
from adapters.memory.users import MemoryUserRepository
from application.ports.jobs import JobKind
from application.ports.randomness import Randomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.events import Event


class MemoryTransaction:
    """All repositories on one block."""

    def __init__(self, block: Block, randomness: Randomness, acted_on: Mapping[str, JobKind]) -> None:
        self.audit = MemoryAuditLog(block, randomness, acted_on)
        self.audit_chain = MemoryAuditChain(block)
        self.users = MemoryUserRepository(block, self.audit)
        self.sessions = MemorySessionRepository(block, self.audit)
        self.refresh_tokens = MemoryRefreshTokenRepository(block)
        self.sign_in_attempts = MemorySignInAttemptRepository(block)
        self.totp_factors = MemoryTotpFactorRepository(block, self.audit)
        self.passkeys = MemoryPasskeyRepository(block, self.audit)
        self.passkey_ceremonies = MemoryPasskeyCeremonyRepository(block)
        self.recovery_codes = MemoryRecoveryCodeRepository(block)
        self.factor_resets = MemoryFactorResetRepository(block, self.audit)
        self.sign_in_challenges = MemorySignInChallengeRepository(block)
        self.one_time_tokens = MemoryOneTimeTokenRepository(block)
        self.email_changes = MemoryEmailChangeRepository(block)
        self.messages = MemoryMessageRepository(block, self.audit)
        self.idempotent_requests = MemoryIdempotentRequestRepository(block)
        self.bulk_users = MemoryBulkUserRepository(block)
        self.user_imports = MemoryUserImportRepository(block, self.audit)
        self.signing_keys = MemorySigningKeyRepository(block, self.audit)


class MemoryUnitOfWork:
    """`UnitOfWork` in memory.

    `on_commit` is told the events of each transaction once they count; those named in `acted_on` are queued in `jobs`,
    as are messages, for a worker to find.
    """

    def __init__(
        self,
        randomness: Randomness | None = None,
        on_commit: Callable[[Sequence[Event]], None] = lambda _: None,
        acted_on: Mapping[str, JobKind] = MappingProxyType({}),
    ) -> None:
        self.jobs = MemoryJobs()
        self._store = Store()
        self._acted_on = acted_on
        self._randomness = randomness or MemoryRandomness()
        self._on_commit = on_commit

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._writing(Block(self._store, writable=True)) as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._writing(Block(self._store, writable=True, most_writes=1)) as tx:
            yield tx

    @asynccontextmanager
    async def _writing(self, block: Block) -> AsyncIterator[Transaction]:
        try:
            yield MemoryTransaction(block, self._randomness, self._acted_on)
            block.commit()
        finally:
            block.close()
        await self.jobs.add(block.jobs)
        self._on_commit(block.events)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        block = Block(self._store, writable=False)
        try:
            yield MemoryTransaction(block, self._randomness, self._acted_on)
        finally:
            block.close()


def _is_unit_of_work(memory: MemoryUnitOfWork) -> UnitOfWork:
    return memory
