"""Refresh tokens in memory."""

from adapters.memory.store import Snapshot, State
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import SessionNotFound


class MemoryRefreshTokenRepository:
    """`RefreshTokenRepository` on a snapshot. Tokens are immutable, so nothing is copied."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def add(self, token: RefreshToken) -> None:
        def write(state: State) -> None:
            if token.session_id not in state.sessions:
                raise SessionNotFound
            state.refresh_tokens[token.digest] = token

        self._snapshot.write(write)

    async def find(self, digest: bytes) -> RefreshToken | None:
        return self._snapshot.state.refresh_tokens.get(digest)
