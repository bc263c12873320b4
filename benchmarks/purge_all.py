"""Whether a backlog of any size is purged in small steps: everything there is, as if ten years had gone by.

`uv run python -m benchmarks.purge_all --home /large/folder` after `benchmarks.fill`. What it forgets is gone.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from adapters.jobs.job_queue import PgQueuerJobQueue
from adapters.postgres import jobs
from adapters.postgres.database import open_engine
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.upkeep.purge_expired import PurgeExpired, RetentionPolicy
from benchmarks.fill import database_of, where


class _InTenYears:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=3650)


class _Timed:
    """A unit of work that remembers how long the longest transaction took, in seconds."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self.longest = 0.0
        self.count = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        began = time.perf_counter()
        async with self._unit_of_work.begin() as tx:
            yield tx
        self.longest = max(self.longest, time.perf_counter() - began)
        self.count += 1

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        return self._unit_of_work.read()

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        return self._unit_of_work.write()


async def purge(url: str) -> None:
    """Forget everything that can be, under the limits that the service itself works under."""
    async with open_engine(url, pool_size=2) as engine:
        timed = _Timed(PostgresUnitOfWork(engine, SystemRandomness()))
        queue = PgQueuerJobQueue(partial(jobs.open_queue, url))
        purge_expired = PurgeExpired(timed, queue, PostgresRateLimiter(engine), _InTenYears(), RetentionPolicy())
        began = time.perf_counter()
        removed = await purge_expired.execute()
        took = time.perf_counter() - began
    for name, count in removed.items():
        print(f"{name}: {count:,}")  # noqa: T201  (what it is for)
    print(f"{took:.0f} s, {timed.count:,} transactions, the longest {timed.longest * 1000:.0f} ms")  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> None:
    """Purge what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.purge_all", description=__doc__)
    where(parser)
    try:
        with database_of(parser.parse_args(arguments)) as url:
            asyncio.run(purge(url))
    except (DatabaseProblem, EmbeddedPostgresError) as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
