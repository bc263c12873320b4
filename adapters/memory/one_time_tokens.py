"""One-time tokens in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State, add_row, expect_free
from domain.ids import UserId
from domain.recovery.one_time_token import OneTimeToken, Purpose


class MemoryOneTimeTokenRepository:
    """`OneTimeTokenRepository` on a block. Tokens are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, token: OneTimeToken) -> None:
        if token.purpose.replaces_older:
            await self.spend(token.user_id, token.purpose, at=token.issued_at)

        def write(state: State) -> None:
            state.expect_user(token.user_id)
            expect_free(token.digest, {other.digest for other in state.one_time_tokens.values()})
            if token.spent_at is None and token.purpose.replaces_older:
                unspent = [other for other in state.one_time_tokens.values() if other.spent_at is None]
                expect_free((token.user_id, token.purpose), {(other.user_id, other.purpose) for other in unspent})
            add_row(state.one_time_tokens, token.id, token)

        await self._block.write(write, token.id, token.digest, (token.user_id, token.purpose))

    async def has_good(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> bool:
        return self._good(lambda token: token.user_id == user_id and token.purpose is purpose, at) is not None

    async def find_good(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        return self._good(lambda token: token.digest == digest and token.purpose is purpose, at)

    async def use(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        return await self._change(
            lambda token: token.digest == digest and token.purpose is purpose,
            lambda token: replace(token, spent_at=at),
            at,
        )

    async def try_code(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        def may_be_tried(token: OneTimeToken) -> bool:
            code = token.code
            return (
                token.user_id == user_id
                and token.purpose is purpose
                and code is not None
                and code.expires_at > at
                and code.attempts_left > 0
            )

        def with_one_attempt_less(token: OneTimeToken) -> OneTimeToken:
            code = token.code
            return replace(token, code=replace(code, attempts_left=code.attempts_left - 1)) if code else token

        return await self._change(may_be_tried, with_one_attempt_less, at)

    async def spend(
        self, user_id: UserId, purpose: Purpose, *, at: datetime, issued_from: datetime | None = None
    ) -> None:
        for token in self._all(user_id, purpose):
            if token.spent_at is None and (issued_from is None or token.issued_at >= issued_from):
                await self._replace(token, lambda unspent: replace(unspent, spent_at=unspent.spent_at or at))

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        tokens = self._block.state().one_time_tokens.values()
        expired = [token.id for token in tokens if token.expires_at < expired_before][:limit]
        return await self._block.remove(lambda state: state.one_time_tokens, *expired)

    def _all(self, user_id: UserId, purpose: Purpose) -> list[OneTimeToken]:
        tokens = self._block.state().one_time_tokens.values()
        return [token for token in tokens if token.user_id == user_id and token.purpose is purpose]

    def _good(self, fits: Callable[[OneTimeToken], bool], at: datetime) -> OneTimeToken | None:
        state = self._block.state()
        good = (
            token for token in state.one_time_tokens.values() if token.is_good(user=state.users[token.user_id], at=at)
        )
        return next(filter(fits, good), None)

    async def _change(
        self, fits: Callable[[OneTimeToken], bool], change: Callable[[OneTimeToken], OneTimeToken], at: datetime
    ) -> OneTimeToken | None:
        found = self._good(fits, at)
        # None is a question all the same, which a block of reads cannot ask.
        await self._block.lock(*([found.id] if found is not None else []))
        # Whoever had it locked may have used it.
        found = self._good(fits, at)
        if found is None:
            return None
        await self._replace(found, change)
        return change(found)

    async def _replace(self, token: OneTimeToken, change: Callable[[OneTimeToken], OneTimeToken]) -> None:
        def write(state: State) -> None:
            # As it is once the lock is ours; it may be gone by then.
            if token.id in state.one_time_tokens:
                state.one_time_tokens[token.id] = change(state.one_time_tokens[token.id])

        await self._block.write(write, token.id)
