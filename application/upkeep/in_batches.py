"""Doing much in many small transactions."""

from collections.abc import Awaitable, Callable

from application.ports.unit_of_work import Transaction, UnitOfWork

BATCH = 1_000
"""So many at once: a backlog must not run into the time that a statement has."""


async def in_batches(
    unit_of_work: UnitOfWork, act: Callable[[Transaction], Awaitable[int]], *, size: int = BATCH
) -> int:
    """Do it again, in a transaction each, until it finds fewer than `size`; how many it found altogether."""
    done = 0
    while True:
        async with unit_of_work.begin() as tx:
            found = await act(tx)
        done += found
        if found < size:
            return done
