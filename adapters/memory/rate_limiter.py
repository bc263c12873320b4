"""Counters in memory: for tests, and for limits that each process keeps for itself."""

from collections.abc import Sequence
from datetime import datetime

from application.ports.rate_limiter import LocalRateLimiter
from domain.throttling.throttle import Allowance, Throttle, Throttled

# Some ten megabytes: beyond that whoever came first is forgotten first.
_MOST = 50_000


class MemoryRateLimiter:
    """`RateLimiter` of one process. Never more than `most` counters."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._full_at: dict[tuple[str, str], datetime] = {}

    async def use(self, *throttles: Throttle, at: datetime) -> Sequence[Allowance]:
        allowances: list[Allowance] = []
        for throttle in throttles:
            key, limit = (throttle.owner, throttle.name), throttle.limit
            before = self._full_at.pop(key, None)
            moved = limit.used_once(before, at=at)
            # Put in anew, so that the order is that of the last use.
            self._full_at[key] = full_at = moved or before or at
            if moved is None:
                raise Throttled(throttle, retry_after=limit.retry_after(full_at, at=at), before=allowances)
            allowances.append(limit.allowance(full_at, at=at))
        while len(self._full_at) > self._most:
            self._full_at.pop(next(iter(self._full_at)))
        return allowances

    async def give_back(self, *throttles: Throttle) -> None:
        for throttle in throttles:
            key = (throttle.owner, throttle.name)
            if key in self._full_at:
                self._full_at[key] -= throttle.limit.interval

    async def forget(self, *owners: str) -> None:
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if key[0] not in owners}

    async def purge(self, *, at: datetime) -> int:
        full = [key for key, full_at in self._full_at.items() if full_at <= at]
        for key in full:
            del self._full_at[key]
        return len(full)


def _is_rate_limiter(memory: MemoryRateLimiter) -> LocalRateLimiter:
    return memory
