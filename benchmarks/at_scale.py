"""What many users cost: `uv run python -m benchmarks.at_scale --home /large/folder`, after `benchmarks.fill`.

Every statement is the repositories' own, and carried out twice, the second time explained, in a transaction that is
rolled back. Fails where one looks at every row of a large table, or at more pages than its rows are worth.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pgqueuer.domain.types import QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import jobs, schema
from adapters.postgres.database import open_engine
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.jobs import JobKind
from benchmarks.asked import Question, Sample, questions
from benchmarks.explained import Explained, explained
from benchmarks.fill import database_of, where

_MIB = 1 << 20
_SIZES = """
SELECT relname AS name, greatest(reltuples, 0)::bigint AS rows, pg_table_size(oid) AS own,
       pg_indexes_size(oid) AS indexes
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(oid) DESC
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS size
FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relname = $1 ORDER BY size DESC
"""

type Asked = list[tuple[str, Sequence[object]]]


class _Taken(Exception):
    """What was done is not to count."""


class NothingThere(Exception):
    """There is nobody to ask about."""


async def measure(url: str) -> bool:
    """Say what there is and how it is found; whether all is well.

    Raises: NothingThere, DatabaseProblem.
    """
    await schema.migrate(url)
    async with open_engine(url, pool_size=1, pool_timeout=60) as engine:
        large = await _sizes(engine)
        async with _driver(engine) as driver:
            sample = await _sample(driver)
        uow = PostgresUnitOfWork(engine, SystemRandomness(), acted_on=JOBS_OF_EVENTS)
        print("| what | pages | rows | ms | indexes |\n|---|---|---|---|---|")  # noqa: T201  (what it is for)
        well = True
        for name, question in questions(sample).items():
            well &= await _answered(engine, uow, name, question, large)
        limiter = PostgresRateLimiter(engine)
        # Of none is that true: nothing is forgotten.
        purge = Question(ask=lambda _: limiter.purge(at=datetime(2000, 1, 1, tzinfo=UTC)), examined=5_000)
        asked = await _recorded(engine, lambda: purge.ask(None))  # type: ignore[arg-type]  # it asks nothing of it
        well &= await _told(engine, "counters that are full", asked[:4], purge.examined, large)
        well &= await _told(engine, "jobs: the next ones", await _of_the_queue(url), 500, large)
    return well


async def _answered(
    engine: AsyncEngine, uow: PostgresUnitOfWork, name: str, question: Question, large: Mapping[str, int]
) -> bool:
    async def ask() -> None:
        async with uow.begin() as tx:
            await question.ask(tx)
            raise _Taken

    return await _told(engine, name, await _recorded(engine, ask), question.examined, large)


async def _told(engine: AsyncEngine, name: str, asked: Asked, examined: int, large: Mapping[str, int]) -> bool:
    well = True
    for number, (sql, arguments) in enumerate(asked, start=1):
        async with _driver(engine) as driver:
            found = await explained(driver, sql, arguments, large)
        numbered = name if len(asked) == 1 else f"{name} ({number} of {len(asked)})"
        _print(numbered, found)
        complaint = found.complaint(examined)
        if complaint is not None:
            well = False
            print(f"**{numbered} {complaint}**: {found.sql}")  # noqa: T201
    return well


def _print(name: str, found: Explained) -> None:
    indexes = ", ".join(found.indexes)
    print(f"| {name} | {found.buffers:,} | {found.rows:,} | {found.milliseconds:.1f} | {indexes} |")  # noqa: T201


async def _recorded(engine: AsyncEngine, ask: Callable[[], Awaitable[object]]) -> Asked:
    """The statements by which something is asked, as the driver gets them."""
    asked: Asked = []

    def through_sqlalchemy(*given: Any) -> None:  # noqa: ANN401  (an event's arguments)
        asked.append((given[2], given[3]))

    def through_driver(record: Any) -> None:  # noqa: ANN401  (it is untyped)
        asked.append((record.query, record.args))

    event.listen(engine.sync_engine, "before_cursor_execute", through_sqlalchemy)
    try:
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            driver.add_query_logger(through_driver)
        with suppress(_Taken):
            await ask()
        driver.remove_query_logger(through_driver)
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", through_sqlalchemy)
    wanted = ("SELECT ", "UPDATE ", "DELETE ", "INSERT ", "WITH ")
    return [(sql, arguments) for sql, arguments in asked if sql.lstrip().startswith(wanted) and sql != "SELECT 1"]


@asynccontextmanager
async def _driver(engine: AsyncEngine) -> AsyncIterator[Any]:
    """A transaction that is rolled back, on the driver's own connection."""
    async with engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        transaction = driver.transaction()
        await transaction.start()
        try:
            yield driver
        finally:
            await transaction.rollback()


async def _of_the_queue(url: str) -> Asked:
    """How PgQueuer picks jobs up, written as it writes it."""
    async with jobs.open_queue(url) as queries:
        asked: Asked = []
        driver: Any = queries.driver
        fetch = driver.fetch

        async def recorded(sql: str, *arguments: object) -> object:
            asked.append((sql, arguments))
            return await fetch(sql, *arguments)

        driver.fetch = recorded
        await driver.execute("BEGIN")
        # It may hold so many: as a worker asks (`adapters.jobs.worker`).
        wanted = {QueueEntrypoint(kind.value): EntrypointExecutionParameter(0) for kind in JobKind}
        await queries.dequeue(10, wanted, QueueManagerId(uuid4()), None, heartbeat_timeout=timedelta(seconds=30))
        await driver.execute("ROLLBACK")
    return asked


async def _sizes(engine: AsyncEngine) -> dict[str, int]:
    async with _driver(engine) as driver:
        tables = await driver.fetch(_SIZES)
        print("| table | rows | MiB | indexes, MiB | bytes a row, with indexes |\n|---|---|---|---|---|")  # noqa: T201
        for table in tables:
            rows, both = table["rows"], table["own"] + table["indexes"]
            if both < _MIB:
                continue
            each = f"{both / rows:.0f}" if rows else ""
            print(f"| {table['name']} | {rows:,} | {table['own'] // _MIB} | {table['indexes'] // _MIB} | {each} |")  # noqa: T201
            for index in await driver.fetch(_INDEXES, table["name"]):
                print(f"| · {index['name']} | | | {index['size'] / _MIB:.1f} | |")  # noqa: T201
    print()  # noqa: T201
    return {table["name"]: table["rows"] for table in tables}


async def _sample(driver: Any) -> Sample:  # noqa: ANN401
    """By the same indexes as everything else: no table is looked through for it."""
    times = await driver.fetchrow("SELECT min(created_at) AS first, max(created_at) AS last FROM users")
    if times["first"] is None:
        message = "There are no users: run python -m benchmarks.fill first."
        raise NothingThere(message)
    middle = times["first"] + (times["last"] - times["first"]) / 2
    user = await driver.fetchrow(
        "SELECT id, email, created_at FROM users WHERE created_at >= $1 ORDER BY created_at, id LIMIT 1", middle
    )
    now = times["last"]
    session = await driver.fetchrow(
        "SELECT id, digest FROM sessions JOIN refresh_tokens ON session_id = id "
        "WHERE id > $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY id, sessions.generation LIMIT 1",
        _id_at(now - timedelta(days=10)),
        now,
    )
    entry = await driver.fetchrow(
        "SELECT occurred_at, sequence, position FROM audit_entries JOIN audit_proofs USING (sequence) "
        "WHERE occurred_at >= $1 ORDER BY occurred_at LIMIT 1",
        middle,
    )
    reference = await driver.fetchval("SELECT reference FROM sign_in_attempts ORDER BY reference LIMIT 1")
    return Sample(
        now=now,
        user_id=user["id"],
        email=user["email"],
        joined_at=user["created_at"],
        first_joined_at=times["first"],
        session_id=session["id"],
        digest=session["digest"],
        reference=reference,
        entry_at=entry["occurred_at"],
        sequence=entry["sequence"],
        position=entry["position"],
    )


def _id_at(moment: datetime) -> str:
    return f"{int(moment.timestamp() * 1000):012x}" + "0" * 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.at_scale", description=__doc__)
    where(parser)
    try:
        with database_of(parser.parse_args(arguments)) as url:
            well = asyncio.run(measure(url))
    except (NothingThere, DatabaseProblem, EmbeddedPostgresError) as problem:
        sys.exit(str(problem))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
