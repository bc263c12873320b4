"""The state that memory repositories share, and how a transaction works on it.

A transaction reads and writes a private copy and remembers each write. Committing replays the writes on the then
present state, which repeats every check of version and uniqueness, and puts the result in its place at once. So
overlapping transactions both keep what they wrote, and a conflict is noticed at the latest on commit.
"""

import asyncio
import copy
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from application.ports.unit_of_work import TransactionEnded
from domain.audit.audit_entry import AuditEntry
from domain.errors import DomainError
from domain.events import Event
from domain.ids import KeyId, SessionId, UserId
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Session
from domain.signing.signing_key import SigningKey
from domain.users.user import User


@dataclass(slots=True)
class State:
    """All rows."""

    users: dict[UserId, User] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    refresh_tokens: dict[bytes, RefreshToken] = field(default_factory=dict)
    signing_keys: dict[KeyId, SigningKey] = field(default_factory=dict)
    audit: list[AuditEntry] = field(default_factory=list)


class Store:
    """The committed state, and the locks on its rows."""

    def __init__(self) -> None:
        self.state = State()
        self.locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)


type Write = Callable[[State], None]


class Snapshot:
    """One transaction's view of the store: its private state, and the writes to be replayed."""

    def __init__(self, store: Store, *, writable: bool) -> None:
        self._store = store
        self._state = copy.deepcopy(store.state)
        self._writable = writable
        self._writes: list[Write] = []
        self._held: list[asyncio.Lock] = []
        self._ended = False
        self.events: list[Event] = []

    @property
    def state(self) -> State:
        """What this transaction sees."""
        if self._ended:
            raise TransactionEnded
        return self._state

    def write(self, write: Write) -> None:
        """Do it to the private state now, and to the shared one on commit."""
        if not self._writable:
            message = "a read block cannot write: open it with begin()"
            raise TransactionEnded(message)
        with self._ending_when_refused():
            write(self.state)
        self._writes.append(write)

    async def lock(self, row: Hashable, refresh: Callable[[State, State], None]) -> None:
        """Wait for the row, keep it until the end, and take its committed state over."""
        lock = self._store.locks[row]
        if lock not in self._held:
            await lock.acquire()
            self._held.append(lock)
            if not self._writes:
                refresh(self.state, copy.deepcopy(self._store.state))

    def commit(self) -> None:
        """Replay the writes on the present state. No await in here: it happens at once."""
        if self._ended:
            message = "a refused write was swallowed inside the block: let it leave the block"
            raise TransactionEnded(message)
        present = copy.deepcopy(self._store.state)
        for write in self._writes:
            write(present)
        self._store.state = present

    def close(self) -> None:
        """Let go of every lock."""
        self._ended = True
        for lock in self._held:
            lock.release()

    @contextmanager
    def _ending_when_refused(self) -> Iterator[None]:
        try:
            yield
        except DomainError:
            self._ended = True
            raise
