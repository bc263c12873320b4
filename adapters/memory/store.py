"""The state that memory repositories share, and how a transaction works on it.

Like PostgreSQL at READ COMMITTED: each read sees what is committed by then, and what the transaction itself wrote. A
write locks what it touches (a row, or a value that must be unique) until the transaction ends, so whoever wants the
same waits, and then meets the outcome. Committing applies the writes to the shared state at once.
"""

import asyncio
import copy
from collections import defaultdict
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from application.ports.jobs import Job
from application.ports.unit_of_work import DatabaseUnavailable, DuplicateKey, ReadOnlyBlock, TransactionEnded
from domain.audit.audit_entry import AuditEntry
from domain.audit.chain import Link
from domain.audit.checkpoint import Checkpoint
from domain.errors import ConcurrentUpdate, DomainError
from domain.events import Aggregate, Event
from domain.idempotency.idempotent_request import IdempotentRequest
from domain.ids import (
    CeremonyId,
    ChallengeId,
    EmailChangeId,
    FactorId,
    KeyId,
    MessageId,
    OneTimeTokenId,
    SessionId,
    UserId,
    UserImportId,
)
from domain.messages.message import Message
from domain.mfa.factor import FactorKind
from domain.mfa.factor_reset import FactorReset
from domain.mfa.passkey import Passkey
from domain.mfa.passkey_ceremony import PasskeyCeremony
from domain.mfa.recovery_code import RecoveryCode
from domain.mfa.sign_in_challenge import SignInChallenge
from domain.mfa.totp_factor import TotpFactor
from domain.recovery.one_time_token import OneTimeToken
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Session
from domain.sessions.sign_in_attempt import Reference, SignInAttempt
from domain.signing.signing_key import SigningKey
from domain.transfer.user_import import RowReport, UserImport
from domain.users.email_change import EmailChange
from domain.users.user import User, UserNotFound

_LOCK_TIMEOUT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPart:
    """A part of a file."""

    sealed: str
    created_at: datetime


@dataclass(slots=True)
class State:
    """All rows. A row is never changed, only replaced: repositories copy on the way in and on the way out."""

    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    sign_in_attempts: dict[Reference, SignInAttempt] = field(default_factory=dict)
    totp_factors: dict[FactorId, TotpFactor] = field(default_factory=dict)
    passkeys: dict[FactorId, Passkey] = field(default_factory=dict)
    passkey_ceremonies: dict[CeremonyId, PasskeyCeremony] = field(default_factory=dict)
    recovery_codes: dict[tuple[UserId, str], RecoveryCode] = field(default_factory=dict)
    factor_resets: dict[FactorId, FactorReset] = field(default_factory=dict)
    sign_in_challenges: dict[ChallengeId, SignInChallenge] = field(default_factory=dict)
    one_time_tokens: dict[OneTimeTokenId, OneTimeToken] = field(default_factory=dict)
    email_changes: dict[EmailChangeId, EmailChange] = field(default_factory=dict)
    messages: dict[MessageId, Message] = field(default_factory=dict)
    signing_keys: dict[KeyId, SigningKey] = field(default_factory=dict)
    idempotent_requests: dict[bytes, IdempotentRequest] = field(default_factory=dict)
    imports: dict[UserImportId, UserImport] = field(default_factory=dict)
    import_rows: dict[tuple[UserImportId, int], RowReport] = field(default_factory=dict)
    import_claims: dict[tuple[UserImportId, bytes], None] = field(default_factory=dict)
    import_parts: dict[tuple[UserImportId, int], ImportPart] = field(default_factory=dict)
    audit_entries: list[AuditEntry] = field(default_factory=list)
    audit_chain: dict[int, Link] = field(default_factory=dict)
    audit_checkpoints: dict[int, Checkpoint] = field(default_factory=dict)

    def copy(self) -> "State":
        """Another state of the same rows."""
        return State(**{one.name: getattr(self, one.name).copy() for one in fields(self)})

    def expect_user(self, user_id: UserId | None) -> None:
        """Raise UserNotFound where PostgreSQL's reference to a user would refuse."""
        if user_id is not None and user_id not in self.users:
            raise UserNotFound

    def factors_of(self, user_id: UserId) -> frozenset[FactorKind]:
        """The kinds of factors that count for a user."""
        factors = (*self.totp_factors.values(), *self.passkeys.values())
        return frozenset(factor.kind for factor in factors if factor.user_id == user_id and factor.is_active)

    def remove_orphans(self) -> None:
        """Remove what belongs to a user or a session that is gone, as PostgreSQL's references do."""
        for rows in (
            self.sessions,
            self.totp_factors,
            self.passkeys,
            self.passkey_ceremonies,
            self.recovery_codes,
            self.factor_resets,
            self.sign_in_challenges,
            self.email_changes,
            self.one_time_tokens,
            self.sign_in_attempts,
            self.messages,
            self.idempotent_requests,
        ):
            _keep(rows, lambda row: row.user_id is None or row.user_id in self.users)
        _keep(self.refresh_tokens, lambda row: row.session_id in self.sessions)
        _keep(
            self.one_time_tokens, lambda row: row.email_change_id is None or row.email_change_id in self.email_changes
        )


def _keep(rows: dict[Any, Any], which: Callable[[Any], bool]) -> None:
    for key in [key for key, row in rows.items() if not which(row)]:
        del rows[key]


def row_of[A: Aggregate](aggregate: A) -> A:
    """A copy to keep, of which nothing remains to be told."""
    row = copy.deepcopy(aggregate)
    row.collect_events()
    return row


def next_row_of[A: Aggregate](aggregate: A) -> A:
    """A copy to keep in place of the version that was loaded."""
    row = row_of(aggregate)
    row.version += 1
    return row


def add_row[K, R](rows: dict[K, R], key: K, row: R) -> None:
    """Put a row where none is. Raises DuplicateKey where PostgreSQL's primary key would refuse."""
    expect_free(key, rows)
    rows[key] = row


def replace_row[K, A: Aggregate](rows: dict[K, A], key: K, row: A) -> A:
    """Put a row in place of the version before it, which is the answer.

    Raises: ConcurrentUpdate where that is there no more.
    """
    before = rows.get(key)
    if before is None or before.version != row.version - 1:
        raise ConcurrentUpdate
    rows[key] = row
    return before


def expect_free(key: object, taken: Container[object]) -> None:
    """Raise DuplicateKey where PostgreSQL's primary key would refuse."""
    if key in taken:
        raise DuplicateKey(key)


type Write = Callable[[State], object]


class Store:
    """The committed state, and the locks on what is in it."""

    def __init__(self) -> None:
        self.committed = State()
        self.locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)


class Block:
    """One transaction, or one block of reads, on the store."""

    def __init__(self, store: Store, *, writable: bool, most_writes: int | None = None) -> None:
        self._store = store
        self._writable = writable
        self._most_writes = most_writes
        self._writes: list[Write] = []
        self._counted = 0
        self._held: dict[Hashable, asyncio.Lock] = {}
        self._ended = False
        self.events: list[Event] = []
        self.jobs: list[Job] = []

    def state(self) -> State:
        """What this block sees now."""
        self.expect_running()
        seen = self._store.committed.copy()
        for write in self._writes:
            write(seen)
        return seen

    async def write(self, write: Write, *locking: Hashable) -> None:
        """Lock, and change what this block sees; others see it after the commit. A refusal ends the block."""
        await self.lock(*locking)
        if self._counted == self._most_writes:
            self._ended = True
            message = "a block of one write cannot write again: open it with begin()"
            raise TransactionEnded(message)
        try:
            write(self.state())
        except (DomainError, DuplicateKey):
            self._ended = True
            raise
        self._writes.append(write)
        self._counted += 1

    async def remove[K: Hashable](self, rows: Callable[[State], dict[K, Any]], *keys: K) -> int:
        """Lock and remove what is there of these; how many they are."""

        def write(state: State) -> None:
            for key in keys:
                rows(state).pop(key, None)

        await self.write(write, *keys)
        return len(keys)

    def write_along(self, write: Write) -> None:
        """Change what belongs to the write before: with that it is one."""
        self.expect_running()
        self._writes.append(write)

    async def lock(self, *names: Hashable) -> None:
        """Wait for these, and keep them until the end."""
        self.expect_running()
        if not self._writable:
            message = "a block of reads cannot write or lock: open it with begin()"
            raise ReadOnlyBlock(message)
        for name in names:
            if name in self._held:
                continue
            lock = self._store.locks[name]
            try:
                async with asyncio.timeout(_LOCK_TIMEOUT.total_seconds()):
                    await lock.acquire()
            except TimeoutError:
                self._ended = True
                raise DatabaseUnavailable(retry_after=_LOCK_TIMEOUT) from None
            self._held[name] = lock

    def expect_running(self) -> None:
        """Raise TransactionEnded if a refusal came before, or the block is over."""
        if self._ended:
            message = "a refused write was swallowed inside the block, or the block is over"
            raise TransactionEnded(message)

    def commit(self) -> None:
        """Make everything count, at once."""
        self._store.committed = self.state()

    def close(self) -> None:
        """End the block and let go of every lock."""
        self._ended = True
        for lock in self._held.values():
            lock.release()
