"""Users in memory."""

import copy
from collections.abc import Sequence

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Snapshot, State
from domain.errors import ConcurrentUpdate
from domain.ids import UserId
from domain.users.email_address import EmailAddress
from domain.users.user import EmailAlreadyRegistered, User, UserNotFound


class MemoryUserRepository:
    """`UserRepository` on a snapshot."""

    def __init__(self, snapshot: Snapshot, audit: MemoryAuditLog) -> None:
        self._snapshot = snapshot
        self._audit = audit

    async def add(self, user: User) -> None:
        events, row = user.collect_events(), copy.deepcopy(user)

        def write(state: State) -> None:
            _expect_free_address(state, row)
            state.users[row.id] = row

        self._snapshot.write(write)
        self._audit.append_all(events)

    async def save(self, user: User) -> None:
        events, row, loaded = user.collect_events(), copy.deepcopy(user), user.version
        row.version = loaded + 1

        def write(state: State) -> None:
            stored = state.users.get(row.id)
            if stored is None or stored.version != loaded:
                raise ConcurrentUpdate
            _expect_free_address(state, row)
            state.users[row.id] = row

        self._snapshot.write(write)
        user.version = row.version
        self._audit.append_all(events)

    async def get(self, user_id: UserId) -> User:
        user = self._snapshot.state.users.get(user_id)
        if user is None:
            raise UserNotFound
        return copy.deepcopy(user)

    async def find_by_email(self, email: EmailAddress) -> User | None:
        users = self._snapshot.state.users.values()
        return copy.deepcopy(next((user for user in users if user.email == email), None))

    async def page(self, *, before: UserId | None, limit: int) -> Sequence[User]:
        users = sorted(self._snapshot.state.users.values(), key=lambda user: user.id, reverse=True)
        behind = [user for user in users if before is None or user.id < before]
        return copy.deepcopy(behind[:limit])


def _expect_free_address(state: State, user: User) -> None:
    if any(other.email == user.email and other.id != user.id for other in state.users.values()):
        raise EmailAlreadyRegistered
