"""The job queue in PostgreSQL: PgQueuer on tables of our own names."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability

from adapters.postgres.database import open_engine
from adapters.postgres.statements import Statements, in_our_words
from application.ports.jobs import Job

# Every name is given: those left out would be read from the environment, where `CHANNEL` may be anybody's.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel="hallporter_jobs",
    function="notify_of_jobs",
    trigger="tg_jobs_changed",
    queue_table="jobs",
    queue_table_log="job_log",
    statistics_table="job_statistics",
    schedules_table="job_schedules",
    queue_status_type="job_status",
    durability=Durability.durable,
)
TABLES = frozenset(
    {SETTINGS.queue_table, SETTINGS.queue_table_log, SETTINGS.statistics_table, SETTINGS.schedules_table}
)
"""What Alembic leaves alone: there are no models of these."""


class PostgresOutbox:
    """Queues jobs on the connection of a block, so that they come to be with its commit, or not at all."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, jobs: Iterable[Job]) -> None:
        """Queue these, but for those that wait or are being done."""
        if queued := list(jobs):
            # Made only now: most blocks queue nothing.
            await _queries_on(_BlockDriver(self._statements)).enqueue(
                [job.kind.value for job in queued],
                [job.subject.bytes for job in queued],
                [0] * len(queued),
                dedupe_key=[f"{job.kind}:{job.subject}" for job in queued],
                on_conflict="skip",
            )


class _BlockDriver(AsyncpgDriver):
    """As much of PgQueuer's driver as queueing needs."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return await self._statements.driver_rows(query, args)


@asynccontextmanager
async def open_queue(url: str, *, role: str | None = None) -> AsyncIterator[Queries]:
    """The queue as a worker sees it, on a connection of its own, which also hears of new jobs.

    Raises: DatabaseUnavailable, also out of the block.
    """
    with in_our_words():
        async with (
            open_engine(url, pool_size=1, name="hallporter worker", role=role) as engine,
            engine.connect() as connection,
        ):
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101  (for the type checker: it is open)
            on_driver = AsyncpgDriver(driver)
            driver.add_termination_listener(lambda _: on_driver.shutdown.set())
            try:
                yield _queries_on(on_driver)
            finally:
                # It listened: nobody else should get it.
                await connection.invalidate()


def _queries_on(driver: AsyncpgDriver) -> Queries:
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )
