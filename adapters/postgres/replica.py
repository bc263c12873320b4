"""A copy of the database that is read where it may be behind (fault 7)."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.database import open_engine
from adapters.postgres.statements import connection_of
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from application.ports.delayed_reads import DelayedReads
from application.ports.randomness import Randomness
from application.ports.unit_of_work import DatabaseUnavailable, Transaction

_log = structlog.get_logger("hallporter.postgres")

# Seconds. Whoever looks at a list does not wait each time for one that does not answer.
_LEFT_ALONE = 10.0
_STANDS_AT = text("SELECT pg_current_wal_lsn()::text, clock_timestamp()")
# Once it has all that there is, the time of the last commit says nothing: perhaps there was none since.
_REPLAYED = text(
    "SELECT pg_last_wal_replay_lsn() >= CAST(CAST(:stands_at AS text) AS pg_lsn), pg_last_xact_replay_timestamp() "
    "WHERE pg_is_in_recovery()"
)


class PostgresReplica:
    """`DelayedReads` on a copy for as long as it is there, and no further behind than `most_behind`; else as before."""

    def __init__(
        self,
        replica: AsyncEngine,
        primary: AsyncEngine,
        randomness: Randomness,
        *,
        most_behind: timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replica, self._primary = replica, primary
        self._of_replica, self._of_primary = (PostgresUnitOfWork(engine, randomness) for engine in (replica, primary))
        self._most_behind = most_behind
        self._clock = clock
        self._left_alone_until = clock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        if self._clock() < self._left_alone_until or not await self._is_near():
            async with self._of_primary.read() as tx:
                yield tx
            return
        try:
            async with self._of_replica.read() as tx:
                yield tx
        except DatabaseUnavailable:
            # Too late for this one, who comes again.
            self._leave_alone("lost")
            raise

    async def _is_near(self) -> bool:
        stands_at, now = await self._stands_at()
        try:
            async with connection_of(self._replica) as connection:
                found = (await connection.execute(_REPLAYED, {"stands_at": stands_at})).one_or_none()
        except (DatabaseUnavailable, SQLAlchemyError) as problem:
            self._leave_alone(type(problem).__name__)
            return False
        if found is None:
            self._leave_alone("promoted")
            return False
        has_all, last_commit = found
        is_near = bool(has_all) or (last_commit is not None and now - last_commit <= self._most_behind)
        if not is_near:
            _log.warning("replica.behind", last_commit=last_commit.isoformat() if last_commit else None)
        return is_near

    async def _stands_at(self) -> tuple[str, datetime]:
        async with connection_of(self._primary) as connection:
            stands_at, now = (await connection.execute(_STANDS_AT)).one()
        return stands_at, now

    def _leave_alone(self, cause: str) -> None:
        _log.warning("replica.unavailable", cause=cause)
        self._left_alone_until = self._clock() + _LEFT_ALONE


@asynccontextmanager
async def open_replica(
    url: str | None,
    primary: AsyncEngine,
    randomness: Randomness,
    *,
    pool_size: int,
    most_behind: timedelta,
    role: str | None = None,
) -> AsyncIterator[PostgresReplica | None]:
    """The copy at `url`, closed after the block; None where there is none."""
    if url is None:
        yield None
        return
    async with open_engine(url, pool_size=pool_size, name="hallporter lists", role=role) as replica:
        yield PostgresReplica(replica, primary, randomness, most_behind=most_behind)


def _is_delayed_reads(postgres: PostgresReplica) -> DelayedReads:
    return postgres
