"""Refused sign-ins in memory."""

from collections.abc import Sequence
from datetime import datetime

from adapters.memory.store import Block, State
from domain.ids import UserId
from domain.sessions.sign_in_attempt import Reference, SignInAttempt


class MemorySignInAttemptRepository:
    """`SignInAttemptRepository` on a block. Attempts are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, attempt: SignInAttempt) -> None:
        def write(state: State) -> None:
            if attempt.reference in state.sign_in_attempts:
                return
            state.expect_user(attempt.user_id)
            state.sign_in_attempts[attempt.reference] = attempt

        await self._block.write(write, attempt.reference)

    async def find(self, reference: Reference) -> SignInAttempt | None:
        return self._block.state().sign_in_attempts.get(reference)

    async def of_user(self, user_id: UserId) -> Sequence[SignInAttempt]:
        attempts = self._block.state().sign_in_attempts.values()
        theirs = [attempt for attempt in attempts if attempt.user_id == user_id]
        return sorted(theirs, key=lambda attempt: (attempt.occurred_at, attempt.reference.text), reverse=True)

    async def purge(self, *, occurred_before: datetime, limit: int) -> int:
        attempts = self._block.state().sign_in_attempts.values()
        old = [attempt.reference for attempt in attempts if attempt.occurred_at < occurred_before][:limit]
        return await self._block.remove(lambda state: state.sign_in_attempts, *old)
