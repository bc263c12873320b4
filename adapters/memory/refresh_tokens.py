"""Refresh tokens in memory."""

from adapters.memory.store import Block, State
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import SessionNotFound


class MemoryRefreshTokenRepository:
    """`RefreshTokenRepository` on a block. Tokens are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, token: RefreshToken) -> None:
        def write(state: State) -> None:
            if token.session_id not in state.sessions:
                raise SessionNotFound
            state.refresh_tokens[token.digest] = token

        await self._block.write(write, token.digest)

    async def find(self, digest: bytes) -> RefreshToken | None:
        return self._block.state().refresh_tokens.get(digest)
