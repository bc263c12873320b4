"""Counting what is done, and saying when it is too much."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.errors import Unavailable
from domain.throttling.throttle import Allowance, Throttle


class ThrottlesUnavailable(Unavailable):
    """The counters cannot be read, so nothing that they guard is let through."""

    code = "throttles_unavailable"
    title = "The service cannot tell whether this is too much; try again in a moment"

    def __init__(self) -> None:
        super().__init__(retry_after=timedelta(seconds=2))


class RateLimiter(Protocol):
    """The counters. Those of one owner and name are one, whoever asks, from whichever process."""

    async def use(self, *throttles: Throttle, at: datetime) -> Sequence[Allowance]:
        """Use each once, in this order, up to the first that has nothing left; what is left of each.

        Every single use is atomic: of many at the same moment exactly as many pass as there are.

        Raises: Throttled, with what is left of those that were used before; ThrottlesUnavailable.
        """
        ...

    async def give_back(self, *throttles: Throttle) -> None:
        """Take back one use of each, as if it had not been.

        Raises: ThrottlesUnavailable.
        """
        ...

    async def forget(self, *owners: str) -> None:
        """Let every counter of these owners be full.

        Raises: ThrottlesUnavailable.
        """
        ...

    async def purge(self, *, at: datetime) -> int:
        """Forget the counters that are full at that moment, and so say nothing; how many. Some go by themselves."""
        ...


class LocalRateLimiter(RateLimiter, Protocol):
    """One whose counters are this process's own, and cost nothing to ask: where being exact matters less."""
