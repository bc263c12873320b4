"""Recovery codes in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State, expect_free
from domain.ids import UserId
from domain.mfa.recovery_code import RecoveryCode
from domain.users.user import UserNotFound


class MemoryRecoveryCodeRepository:
    """`RecoveryCodeRepository` on a block. Codes are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def replace(self, user_id: UserId, codes: Sequence[RecoveryCode]) -> None:
        def write(state: State) -> None:
            if codes and user_id not in state.users:
                raise UserNotFound
            kept = {key: code for key, code in state.recovery_codes.items() if code.user_id != user_id}
            for code in codes:
                expect_free((user_id, code.handle), kept)
                kept[user_id, code.handle] = code
            state.recovery_codes = kept

        await self._block.write(write, (user_id, "recovery codes"))

    async def find(self, user_id: UserId, handle: str) -> RecoveryCode | None:
        code = self._block.state().recovery_codes.get((user_id, handle))
        return code if code is not None and code.used_at is None else None

    async def use(self, code: RecoveryCode, *, at: datetime) -> bool:
        await self._block.lock((code.user_id, "recovery codes"))
        found = await self.find(code.user_id, code.handle)
        if found is None or found.hashed != code.hashed:
            return False
        used = replace(found, used_at=at)

        def write(state: State) -> None:
            state.recovery_codes[used.user_id, used.handle] = used

        await self._block.write(write)
        return True

    async def forget_some(self, *, limit: int) -> int:
        gone = list(self._block.state().recovery_codes)[:limit]

        def write(state: State) -> None:
            for key in gone:
                state.recovery_codes.pop(key, None)

        await self._block.write(write)
        return len(gone)

    async def count(self, user_id: UserId) -> int:
        codes = self._block.state().recovery_codes.values()
        return sum(code.user_id == user_id and code.used_at is None for code in codes)
