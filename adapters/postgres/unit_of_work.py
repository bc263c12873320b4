"""Transactions in PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.audit_chain import PostgresAuditChain
from adapters.postgres.bulk_users import PostgresBulkUserRepository
from adapters.postgres.email_changes import PostgresEmailChangeRepository
from adapters.postgres.factor_resets import PostgresFactorResetRepository
from adapters.postgres.idempotent_requests import PostgresIdempotentRequestRepository
from adapters.postgres.messages import PostgresMessageRepository
from adapters.postgres.one_time_tokens import PostgresOneTimeTokenRepository
from adapters.postgres.passkey_ceremonies import PostgresPasskeyCeremonyRepository
from adapters.postgres.recovery_codes import PostgresRecoveryCodeRepository
from adapters.postgres.refresh_tokens import PostgresRefreshTokenRepository
from adapters.postgres.sessions import PostgresSessionRepository
from adapters.postgres.sign_in_attempts import PostgresSignInAttemptRepository
from adapters.postgres.sign_in_challenges import PostgresSignInChallengeRepository
from adapters.postgres.signing_keys import PostgresSigningKeyRepository
from adapters.postgres.statements import Statements, in_our_words
from adapters.postgres.totp_factors import PostgresTotpFactorRepository
from adapters.postgres.user_imports import PostgresUserImportRepository
from adapters.postgres.user_passkeys import PostgresPasskeyRepository
from adapters.postgres.users import PostgresUserRepository
from application.ports.jobs import JobKind
from application.ports.randomness import Randomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.events import Event


class PostgresTransaction:
    """All repositories on the statements of one block."""

    def __init__(self, statements: Statements, randomness: Randomness, acted_on: Mapping[str, JobKind]) -> None:
        self.audit = PostgresAuditLog(statements, randomness, acted_on)
        self.audit_chain = PostgresAuditChain(statements)
        self.users = PostgresUserRepository(statements, self.audit)
        self.sessions = PostgresSessionRepository(statements, self.audit)
        self.refresh_tokens = PostgresRefreshTokenRepository(statements)
        self.sign_in_attempts = PostgresSignInAttemptRepository(statements)
        self.totp_factors = PostgresTotpFactorRepository(statements, self.audit)
        self.passkeys = PostgresPasskeyRepository(statements, self.audit)
        self.passkey_ceremonies = PostgresPasskeyCeremonyRepository(statements)
        self.recovery_codes = PostgresRecoveryCodeRepository(statements)
        self.factor_resets = PostgresFactorResetRepository(statements, self.audit)
        self.sign_in_challenges = PostgresSignInChallengeRepository(statements)
        self.one_time_tokens = PostgresOneTimeTokenRepository(statements)
        self.email_changes = PostgresEmailChangeRepository(statements)
        self.messages = PostgresMessageRepository(statements, self.audit)
        self.idempotent_requests = PostgresIdempotentRequestRepository(statements)
        self.bulk_users = PostgresBulkUserRepository(statements)
        self.user_imports = PostgresUserImportRepository(statements, self.audit)
        self.signing_keys = PostgresSigningKeyRepository(statements, self.audit)


class PostgresUnitOfWork:
    """`UnitOfWork` on an engine of `open_engine`.

    `on_commit` is told the events of each transaction once they count; those named in `acted_on` are queued as jobs.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        randomness: Randomness,
        on_commit: Callable[[Sequence[Event]], None] = lambda _: None,
        acted_on: Mapping[str, JobKind] = MappingProxyType({}),
    ) -> None:
        self._single_statements = engine
        self._transactions = engine.execution_options(isolation_level="READ COMMITTED")
        self._randomness = randomness
        self._on_commit = on_commit
        self._acted_on = acted_on

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._statements(self._transactions, writable=True) as statements:
            await statements.begin()
            tx = self._transaction(statements)
            yield tx
            await statements.commit()
        self._on_commit(tx.audit.written)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        async with self._statements(self._single_statements, writable=True) as statements:
            tx = self._transaction(statements)
            yield tx
            statements.expect_running()
        self._on_commit(tx.audit.written)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with self._statements(self._single_statements, writable=False) as statements:
            yield self._transaction(statements)

    @asynccontextmanager
    async def _statements(self, engine: AsyncEngine, *, writable: bool) -> AsyncIterator[Statements]:
        # Only getting the connection is put into our words: what the block raises is its own affair.
        with in_our_words():
            pooled = await engine.raw_connection()
        statements = Statements(engine, pooled, writable=writable)
        try:
            yield statements
        finally:
            await statements.close()

    def _transaction(self, statements: Statements) -> PostgresTransaction:
        return PostgresTransaction(statements, self._randomness, self._acted_on)


def _is_unit_of_work(postgres: PostgresUnitOfWork) -> UnitOfWork:
    return postgres
