"""Refresh tokens in memory."""

import copy
from dataclasses import replace

from adapters.memory.store import Block, State, expect_free
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import SessionNotFound
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

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken) -> None:
        def write(state: State) -> None:
            for digest, token in state.refresh_tokens.items():
                if token.session_id == rotated.session_id:
                    state.refresh_tokens[digest] = replace(token, sealed_answer=None)
            state.refresh_tokens[rotated.digest] = rotated
            _add(state, successor)

        await self._block.write(write, rotated.session_id)

    async def lock_family(self, digest: bytes) -> TokenFamily | None:
        token = self._block.state().refresh_tokens.get(digest)
        # An unknown one is a question all the same, which a block of reads cannot ask.
        await self._block.lock(*([token.session_id] if token is not None else []))
        if token is None:
            return None
        state = self._block.state()
        session = state.sessions[token.session_id]
        return copy.deepcopy(
            TokenFamily(token=state.refresh_tokens[digest], session=session, user=state.users[session.user_id])
        )

    async def find(self, digest: bytes) -> RefreshToken | None:
        return self._block.state().refresh_tokens.get(digest)


def _add(state: State, token: RefreshToken) -> None:
    generations = {(other.session_id, other.generation) for other in state.refresh_tokens.values()}
    expect_free(token.digest, state.refresh_tokens)
    expect_free((token.session_id, token.generation), generations)
    state.refresh_tokens[token.digest] = token
