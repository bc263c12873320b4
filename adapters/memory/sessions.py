"""Sessions in memory."""

import copy
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId
from domain.sessions.principal import Principal
from domain.sessions.session import Session, SessionNotFound
from domain.users.user import UserNotFound


class MemorySessionRepository:
    """`SessionRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, session: Session) -> None:
        row = _row(session)

        def write(state: State) -> None:
            if row.user_id not in state.users:
                raise UserNotFound
            state.sessions[row.id] = row

        await self._block.write(write, row.id)
        await self._audit.append_all(session.collect_events())

    async def save(self, session: Session) -> None:
        row, loaded = _row(session), session.version
        row.version = loaded + 1

        def write(state: State) -> None:
            if row.id not in state.sessions or state.sessions[row.id].version != loaded:
                raise ConcurrentUpdate
            state.sessions[row.id] = row

        await self._block.write(write, row.id)
        session.version = row.version
        await self._audit.append_all(session.collect_events())

    async def get(self, session_id: SessionId) -> Session:
        session = self._block.state().sessions.get(session_id)
        if session is None:
            raise SessionNotFound
        return copy.deepcopy(session)

    async def lock(self, session_id: SessionId) -> Session:
        await self._block.lock(session_id)
        return await self.get(session_id)

    async def find_live(self, session_id: SessionId, *, at: datetime) -> Principal | None:
        state = self._block.state()
        session = state.sessions.get(session_id)
        if session is None:
            return None
        user = state.users[session.user_id]
        return copy.deepcopy(Principal(user=user, session=session)) if session.is_live(user=user, at=at) else None


def _row(session: Session) -> Session:
    row = copy.deepcopy(session)
    row.collect_events()
    return row
