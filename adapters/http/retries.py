"""Doing it all over again where transactions got into each other's way (fault 12)."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from application.ports.unit_of_work import TransactionConflict

_MOST_ATTEMPTS = 3
# The first pause is up to so long, each later one up to twice the one before.
_PAUSE_SECONDS = 0.03


async def retried[T](
    handle: Callable[[], Awaitable[T]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> T:
    """What `handle` answers, which is asked again twice where it meets a conflict of transactions.

    Again means from the beginning: nothing that was read for the first attempt counts for the second. The pauses are
    random, or those who met once would meet again.

    Raises: TransactionConflict when it persists; whatever else `handle` raises.
    """
    for attempt in range(_MOST_ATTEMPTS - 1):
        try:
            return await handle()
        except TransactionConflict:
            await sleep(random.random() * _PAUSE_SECONDS * 2**attempt)  # noqa: S311  (keeps retries apart)
    return await handle()
