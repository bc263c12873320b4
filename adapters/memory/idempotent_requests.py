"""Requests with an idempotency key, in memory."""

from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State
from domain.idempotency.idempotent_request import IdempotencyInFlight, IdempotencyPolicy, IdempotentRequest, Once
from domain.ids import UserId


class MemoryIdempotentRequestRepository:
    """`IdempotentRequestRepository` on a block. Requests are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def find(self, digest: bytes) -> IdempotentRequest | None:
        return self._block.state().idempotent_requests.get(digest)

    async def claim(self, request: IdempotentRequest, policy: IdempotencyPolicy) -> IdempotentRequest | None:
        await self._block.lock(request.digest)
        found = await self.find(request.digest)
        if found is not None:
            if not found.may_be_claimed(at=request.claimed_at, policy=policy):
                return None
            if not found.is_over(at=request.claimed_at):
                request = found.claimed_by(request)
        await self._keep(request)
        return request

    async def note_act(self, once: Once, user_id: UserId | None, *, at: datetime) -> None:
        await self._block.lock(once.digest)

        def write(state: State) -> None:
            found = state.idempotent_requests.get(once.digest)
            if found is None or found.claim_id != once.claim_id:
                raise IdempotencyInFlight
            state.expect_user(user_id)
            state.idempotent_requests[once.digest] = replace(found, acted_at=at, user_id=user_id)

        await self._block.write(write, once.digest)

    async def answer(self, once: Once, sealed_answer: str) -> None:
        found = await self._find_claimed(once)
        if found is not None:
            await self._keep(replace(found, sealed_answer=sealed_answer))

    async def release(self, once: Once) -> None:
        found = await self._find_claimed(once)
        if found is not None and found.acted_at is None:
            await self._block.remove(lambda state: state.idempotent_requests, once.digest)

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        requests = self._block.state().idempotent_requests.values()
        over = [request.digest for request in requests if request.expires_at < expired_before][:limit]
        return await self._block.remove(lambda state: state.idempotent_requests, *over)

    async def _find_claimed(self, once: Once) -> IdempotentRequest | None:
        await self._block.lock(once.digest)
        found = await self.find(once.digest)
        return found if found is not None and found.claim_id == once.claim_id else None

    async def _keep(self, request: IdempotentRequest) -> None:
        kept = {request.digest: request}
        await self._block.write(lambda state: state.idempotent_requests.update(kept), request.digest)
