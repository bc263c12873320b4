"""Where requests with an idempotency key are kept."""

from datetime import datetime
from typing import Protocol

from domain.idempotency.idempotent_request import IdempotencyPolicy, IdempotentRequest, Once
from domain.ids import UserId


class IdempotentRequestRepository(Protocol):
    """All requests with a key, by their digest, until they are purged."""

    async def find(self, digest: bytes) -> IdempotentRequest | None:
        """One request, over or not."""
        ...

    async def claim(self, request: IdempotentRequest, policy: IdempotencyPolicy) -> IdempotentRequest | None:
        """Keep a new one; or take over one for which `may_be_claimed` holds when this one is claimed.

        As it stands afterwards, or None where somebody else has it. Of many at the same moment one gets it.
        """
        ...

    async def note_act(self, once: Once, user_id: UserId | None, *, at: datetime) -> None:
        """Note that it is done, in the transaction in which it is done, and about whom.

        Raises: UserNotFound; IdempotencyInFlight when the claim has gone to somebody else.
        """
        ...

    async def answer(self, once: Once, sealed_answer: str) -> None:
        """Keep how it was answered; where the claim has gone to somebody else, nothing."""
        ...

    async def release(self, once: Once) -> None:
        """Forget it, unless it was done or the claim has gone to somebody else."""
        ...

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most `limit` that expired before that moment; how many."""
        ...
