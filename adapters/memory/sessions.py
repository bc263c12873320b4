"""Sessions in memory."""

import copy
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Snapshot, State
from application.ports.sessions import LiveSession
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId
from domain.sessions.session import Session, SessionNotFound
from domain.users.user import UserNotFound


class MemorySessionRepository:
    """`SessionRepository` on a snapshot."""

    def __init__(self, snapshot: Snapshot, audit: MemoryAuditLog) -> None:
        self._snapshot = snapshot
        self._audit = audit

    async def add(self, session: Session) -> None:
        events, row = session.collect_events(), copy.deepcopy(session)

        def write(state: State) -> None:
            if row.user_id not in state.users:
                raise UserNotFound
            state.sessions[row.id] = row

        self._snapshot.write(write)
        self._audit.append_all(events)

    async def save(self, session: Session) -> None:
        events, row, loaded = session.collect_events(), copy.deepcopy(session), session.version
        row.version = loaded + 1

        def write(state: State) -> None:
            stored = state.sessions.get(row.id)
            if stored is None or stored.version != loaded:
                raise ConcurrentUpdate
            state.sessions[row.id] = row

        self._snapshot.write(write)
        session.version = row.version
        self._audit.append_all(events)

    async def get(self, session_id: SessionId) -> Session:
        session = self._snapshot.state.sessions.get(session_id)
        if session is None:
            raise SessionNotFound
        return copy.deepcopy(session)

    async def lock(self, session_id: SessionId) -> Session:
        def refresh(mine: State, present: State) -> None:
            mine.sessions.pop(session_id, None)
            if session_id in present.sessions:
                mine.sessions[session_id] = present.sessions[session_id]

        await self._snapshot.lock(session_id, refresh)
        return await self.get(session_id)

    async def find_live(self, session_id: SessionId, *, at: datetime) -> LiveSession | None:
        state = self._snapshot.state
        session = state.sessions.get(session_id)
        if session is None:
            return None
        user = state.users[session.user_id]
        return copy.deepcopy(LiveSession(session, user)) if session.is_live(user=user, at=at) else None
