"""Sessions in memory."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from adapters.memory.users import note_seen
from application.ports.sessions import AsUsual
from domain.ids import SessionId, UserId
from domain.sessions.principal import Principal
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Device, Session, SessionNotFound


class MemorySessionRepository:
    """`SessionRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, session: Session) -> None:
        row = row_of(session)

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            add_row(state.sessions, row.id, row)

        await self._block.write(write, row.id)
        await self._audit.append_all(session.collect_events())

    async def open(
        self,
        session: Session,
        first: RefreshToken,
        *,
        only_if: AsUsual | None,
        used_after: datetime,
        seen_unless_after: datetime,
    ) -> bool:
        row = row_of(session)
        if only_if is not None:
            live = await self.live_of(row.user_id, at=row.created_at, used_after=used_after)
            is_new = await self.is_new_device(row.user_id, row.device, first_is_new=only_if.first_is_new)
            if len(live) >= only_if.most or is_new:
                return False

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            add_row(state.sessions, row.id, row)
            add_row(state.refresh_tokens, first.digest, first)
            note_seen(state, row.user_id, at=row.created_at, unless_after=seen_unless_after)

        await self._block.write(write, row.id)
        self._audit.append_along(session.collect_events())
        return True

    async def save(self, session: Session) -> None:
        row = next_row_of(session)
        await self._block.write(lambda state: replace_row(state.sessions, row.id, row), row.id)
        session.version = row.version
        await self._audit.append_all(session.collect_events())

    async def note_use(self, session_id: SessionId, *, at: datetime, unless_after: datetime) -> None:
        def write(state: State) -> None:
            session = state.sessions.get(session_id)
            if session is not None and session.last_used_at <= unless_after:
                state.sessions[session_id] = replace(session, last_used_at=at)

        await self._block.write(write, session_id)

    async def get(self, session_id: SessionId) -> Session:
        session = self._block.state().sessions.get(session_id)
        if session is None:
            raise SessionNotFound
        return copy.deepcopy(session)

    async def lock(self, session_id: SessionId) -> Session:
        await self._block.lock(session_id)
        return await self.get(session_id)

    async def live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        state = self._block.state()
        live = [
            session
            for session in state.sessions.values()
            if session.user_id == user_id
            and session.is_live(user=state.users[user_id], at=at)
            and session.last_used_at > used_after
        ]
        return copy.deepcopy(sorted(live, key=lambda session: session.id, reverse=True))

    async def lock_live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        candidates = await self.live_of(user_id, at=at, used_after=used_after)
        await self._block.lock(*(session.id for session in candidates))
        # What has ended while we waited is no longer live.
        return await self.live_of(user_id, at=at, used_after=used_after)

    async def all_of(self, user_id: UserId) -> Sequence[Session]:
        sessions = [session for session in self._block.state().sessions.values() if session.user_id == user_id]
        return copy.deepcopy(sorted(sessions, key=lambda session: session.id, reverse=True))

    async def is_new_device(self, user_id: UserId, device: Device, *, first_is_new: bool) -> bool:
        known = [session.device for session in await self.all_of(user_id)]
        if not known:
            return first_is_new
        if device.name is not None:
            return all(other.name != device.name for other in known)
        return all(other.user_agent != device.user_agent for other in known)

    async def purge(self, *, over_since: datetime, limit: int) -> int:
        sessions = self._block.state().sessions.values()
        over = [row.id for row in sessions if min(row.ended_at or row.expires_at, row.expires_at) < over_since][:limit]
        tokens = [token.digest for token in self._block.state().refresh_tokens.values() if token.session_id in over][
            :limit
        ]
        gone = over[: limit - len(tokens)]

        def write(state: State) -> None:
            for digest in tokens:
                state.refresh_tokens.pop(digest, None)
            state.sessions = {key: row for key, row in state.sessions.items() if key not in gone}
            state.remove_orphans()

        await self._block.write(write, *tokens, *gone)
        return len(tokens) + len(gone)

    async def find_live(self, session_id: SessionId, *, at: datetime) -> Principal | None:
        state = self._block.state()
        session = state.sessions.get(session_id)
        if session is None:
            return None
        user = state.users[session.user_id]
        if not session.is_live(user=user, at=at):
            return None
        return copy.deepcopy(Principal(user=user, session=session, has_factors=bool(state.factors_of(user.id))))
