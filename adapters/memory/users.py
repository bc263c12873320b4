"""Users in memory."""

import copy
from collections.abc import Hashable, Sequence
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from application.paging.page import MOST_EXAMINED, Page
from application.ports.user_search import UserFilter, UserOrder, UserPosition
from domain.ids import UserId
from domain.mfa.factor import FactorKind
from domain.transfer.user_import import AlreadyImported
from domain.users.email_address import EmailAddress
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import User, UserNotFound


class MemoryUserRepository:
    """`UserRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, user: User) -> None:
        row = row_of(user)

        def write(state: State) -> None:
            add_row(state.users, row.id, row)
            expect_nobody_like(row, state)

        await self._block.write(write, *names_of(row))
        self._audit.append_along(user.collect_events())

    async def save(self, user: User) -> None:
        row = next_row_of(user)

        def write(state: State) -> None:
            row.last_seen_at = replace_row(state.users, row.id, row).last_seen_at
            expect_nobody_like(row, state)

        await self._block.write(write, *names_of(row))
        user.version = row.version
        await self._audit.append_all(user.collect_events())

    async def get(self, user_id: UserId) -> User:
        user = self._block.state().users.get(user_id)
        if user is None:
            raise UserNotFound
        return copy.deepcopy(user)

    async def lock(self, user_id: UserId) -> User:
        await self._block.lock(user_id)
        return await self.get(user_id)

    async def find_by_email(self, email: EmailAddress) -> User | None:
        users = self._block.state().users.values()
        return copy.deepcopy(next((user for user in users if user.email == email), None))

    async def find_with_factors(self, email: EmailAddress) -> tuple[User, frozenset[FactorKind]] | None:
        user = await self.find_by_email(email)
        return (user, self._block.state().factors_of(user.id)) if user is not None else None

    async def remove(self, user_id: UserId) -> None:
        def write(state: State) -> None:
            if state.users.pop(user_id, None) is not None:
                state.remove_orphans()

        seen = self._block.state()
        belongings = [
            *(row.id for row in seen.sessions.values() if row.user_id == user_id),
            *(row.id for row in seen.one_time_tokens.values() if row.user_id == user_id),
            *(row.id for row in seen.messages.values() if row.user_id == user_id),
            *(row.id for row in seen.email_changes.values() if row.user_id == user_id),
            *(row.reference for row in seen.sign_in_attempts.values() if row.user_id == user_id),
            *(row.digest for row in seen.idempotent_requests.values() if row.user_id == user_id),
        ]
        await self._block.write(write, user_id, *belongings)

    async def due_for_erasure(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        users = self._block.state().users.values()
        due = [(user.deletion_due_at, user.id) for user in users if user.deletion_due_at is not None]
        return [user_id for due_at, user_id in sorted(due) if due_at <= at][:limit]

    async def lock_admins(self) -> Sequence[User]:
        admins = sorted(user.id for user in self._block.state().users.values() if user.is_admin)
        locked = [await self.lock(user_id) for user_id in admins]
        return [user for user in locked if user.is_admin]

    async def over_suspended(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        users = [user for user in self._block.state().users.values() if user.suspension is not None]
        over = [
            (user.suspension.until, user.id)
            for user in users
            if user.suspension is not None and user.suspension.until is not None and user.suspension.until <= at
        ]
        return [user_id for _, user_id in sorted(over)][:limit]

    async def note_seen(self, user_id: UserId, *, at: datetime, unless_after: datetime) -> None:
        await self._block.write(lambda state: note_seen(state, user_id, at=at, unless_after=unless_after), user_id)

    async def page(
        self, *, only: UserFilter, order: UserOrder, after: UserPosition | None, limit: int
    ) -> Page[User, UserPosition]:
        entries = sorted(
            ((UserPosition.of(user, order), user) for user in self._block.state().users.values()),
            key=lambda entry: (entry[0].key, entry[0].user_id),
            reverse=order.backwards,
        )
        examined = [entry for entry in entries if after is None or _is_behind(entry[0], after, order)]
        admitted = [user for _, user in examined[:MOST_EXAMINED] if only.admits(user)]
        shown = copy.deepcopy(admitted[:limit])
        if len(admitted) > limit:
            return Page(shown, UserPosition.of(shown[-1], order))
        return Page(shown, examined[MOST_EXAMINED - 1][0] if len(examined) >= MOST_EXAMINED else None)


def _is_behind(position: UserPosition, after: UserPosition, order: UserOrder) -> bool:
    this, other = (position.key, position.user_id), (after.key, after.user_id)
    return this < other if order.backwards else this > other


def note_seen(state: State, user_id: UserId, *, at: datetime, unless_after: datetime) -> None:
    """Put a copy in the user's place that was seen then, where that is due."""
    user = state.users.get(user_id)
    if user is not None and user.last_seen_at <= unless_after:
        seen = copy.deepcopy(user)
        seen.last_seen_at = at
        state.users[user_id] = seen


def names_of(user: User) -> list[Hashable]:
    """What nobody else may write while somebody does."""
    return [user.id, user.email, *([user.source_id] if user.source_id is not None else [])]


def expect_nobody_like(user: User, state: State) -> None:
    """Raise EmailAlreadyRegistered or AlreadyImported where PostgreSQL's constraints would refuse."""
    others = [other for other in state.users.values() if other.id != user.id]
    if any(other.email == user.email for other in others):
        raise EmailAlreadyRegistered
    if user.source_id is not None and any(other.source_id == user.source_id for other in others):
        raise AlreadyImported
