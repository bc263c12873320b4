"""The job queue in PostgreSQL: PgQueuer on tables of our own names."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.database import open_engine
from adapters.postgres.prepared import Prepared
from adapters.postgres.statements import Statements, in_our_words
from application.ports.jobs import JobKind

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

# As PgQueuer's own statement fills them, which cannot be part of another one.
_QUEUED: ColumnElement[str] = literal_column("'queued'::job_status")
_LOGGED = ("job_id", "status", "entrypoint", "priority")
_JOB_LOG = table(SETTINGS.queue_table_log, *(column(name) for name in _LOGGED))
_FILLED = ("priority", "entrypoint", "payload", "dedupe_key", "headers", "status")
_JOBS = table(SETTINGS.queue_table, *(column(name) for name in ("id", *_FILLED)))
# To the letter as in the index.
_IS_THERE = text("status = ANY (ARRAY['queued'::job_status, 'picked'::job_status]) AND dedupe_key IS NOT NULL")


def queued(given: FromClause) -> CTE:
    """Queues the `job` that each row asks for, if it does, to act on its `id`; but not what waits or is being done."""
    jobs = select(
        literal(0),
        given.c.job,
        func.uuid_send(given.c.id),
        given.c.job + ":" + cast(given.c.id, Text),
        literal_column("'null'::jsonb"),
        _QUEUED,
    ).where(given.c.job.is_not(None))
    new = (
        insert(_JOBS)
        .from_select(_FILLED, jobs)
        .on_conflict_do_nothing(index_elements=[_JOBS.c.dedupe_key], index_where=_IS_THERE)
        .returning(_JOBS.c.id, _JOBS.c.entrypoint, _JOBS.c.priority)
        .cte("queued")
    )
    noted = select(new.c.id, _QUEUED, new.c.entrypoint, new.c.priority)
    return insert(_JOB_LOG).from_select(_LOGGED, noted).cte("logged")


_given = (
    func.unnest(bindparam("jobs", type_=ARRAY(Text)), bindparam("subjects", type_=ARRAY(Uuid)))
    .table_valued(column("job", Text), column("id", Uuid))
    .render_derived(name="given")
)
_ADD = Prepared(select(literal(1).label("done")).add_cte(queued(_given)), writes=True)


async def queue(statements: Statements, kind: JobKind, subjects: Sequence[UUID]) -> None:
    """Queue jobs of that kind in a block: they come to be with its commit, or not at all."""
    if subjects:
        await statements.prepared_row(_ADD, jobs=[kind.value] * len(subjects), subjects=subjects)


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
                yield Queries(
                    on_driver,
                    qbe=QueryBuilderEnvironment(SETTINGS),
                    qbq=QueryQueueBuilder(SETTINGS),
                    qbs=QuerySchedulerBuilder(SETTINGS),
                )
            finally:
                # It listened: nobody else should get it.
                await connection.invalidate()
