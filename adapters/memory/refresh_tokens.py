"""Refresh tokens in memory."""

import copy
from dataclasses import replace

from adapters.memory.store import Block, State, add_row, expect_free
from domain.errors import ConcurrentUpdate
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Session, SessionNotFound
from domain.sessions.token_family import TokenFamily


class MemoryRefreshTokenRepository:
    """`RefreshTokenRepository` on a block. Tokens are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, token: RefreshToken) -> None:
        def write(state: State) -> None:
            if token.session_id not in state.sessions:
                raise SessionNotFound
            _add(state, token)

        await self._block.write(write, token.digest)

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken, session: Session) -> None:
        # As they are now: the write is done again on what others have committed by then.
        loaded, generation, used_at = session.version, session.generation, session.last_used_at

        def write(state: State) -> None:
            kept = state.sessions.get(session.id)
            if kept is None or kept.version != loaded:
                raise ConcurrentUpdate
            state.sessions[session.id] = replace(kept, version=loaded + 1, generation=generation, last_used_at=used_at)
            for digest, token in state.refresh_tokens.items():
                if token.session_id == rotated.session_id:
                    state.refresh_tokens[digest] = replace(token, sealed_answer=None)
            state.refresh_tokens[rotated.digest] = rotated
            _add(state, successor)

        await self._block.write(write, rotated.session_id)
        session.version += 1

    async def find_family(self, digest: bytes) -> TokenFamily | None:
        state = self._block.state()
        token = state.refresh_tokens.get(digest)
        if token is None:
            return None
        session = state.sessions[token.session_id]
        return copy.deepcopy(TokenFamily(token=token, session=session, user=state.users[session.user_id]))

    async def find(self, digest: bytes) -> RefreshToken | None:
        return self._block.state().refresh_tokens.get(digest)


def _add(state: State, token: RefreshToken) -> None:
    generations = {(other.session_id, other.generation) for other in state.refresh_tokens.values()}
    expect_free((token.session_id, token.generation), generations)
    add_row(state.refresh_tokens, token.digest, token)
