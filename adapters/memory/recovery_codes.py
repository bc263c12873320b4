"""Recovery codes in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State, add_row
from domain.ids import UserId
from domain.mfa.recovery_code import RecoveryCode


class MemoryRecoveryCodeRepository:
    """`RecoveryCodeRepository` on a block. Codes are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def replace(self, user_id: UserId, codes: Sequence[RecoveryCode]) -> None:
        def write(state: State) -> None:
            state.expect_user(user_id if codes else None)
            kept = {key: code for key, code in state.recovery_codes.items() if code.user_id != user_id}
            for code in codes:
                add_row(kept, (user_id, code.handle), code)
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
        used = {(code.user_id, code.handle): replace(found, used_at=at)}
        await self._block.write(lambda state: state.recovery_codes.update(used))
        return True

    async def forget_some(self, *, limit: int) -> int:
        gone = list(self._block.state().recovery_codes)[:limit]
        return await self._block.remove(lambda state: state.recovery_codes, *gone)

    async def count(self, user_id: UserId) -> int:
        codes = self._block.state().recovery_codes.values()
        return sum(code.user_id == user_id and code.used_at is None for code in codes)
