"""A large installation to measure on: `uv run python -m benchmarks.fill --users 10_000_000 --home /large/folder`.

Rows first, then indexes and references, as a dump is restored. Whoever interrupts it begins again with the same
command: what is there by then is not made anew.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.postgres import schema
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.urls import asyncpg_url
from benchmarks.made_rows import Made, Plan, functions, tables

_AT_ONCE = 250_000
_YEARS = timedelta(days=730)
_NOTES = "hallporter_fill"
_NOTE = f"""
CREATE TABLE IF NOT EXISTS {_NOTES} (step text PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, done bigint,
                                     note text)
"""
# By these the rest is made faster: keys before what refers to them.
_TAKEN_DOWN = """
SELECT format('%s.%s', conrelid::regclass, conname) AS name,
       format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS down,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS up,
       CASE contype WHEN 'f' THEN 3 ELSE 1 END AS rank
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p', 'u')
  AND (contype = 'f' OR conrelid::regclass::text = ANY($1::text[]))
UNION ALL
SELECT format('%s.%s', tablename, indexname), format('DROP INDEX %I', indexname), indexdef, 2
FROM pg_indexes
WHERE schemaname = 'public' AND tablename = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname AND contype IN ('p', 'u'))
ORDER BY rank DESC, name
"""


class NotFilled(Exception):
    """Nothing was done. The message says why, and what to do."""


async def fill(url: str, plan: Plan, *, even_with_users: bool = False) -> Plan:
    """Fill a database, or go on where that was interrupted; what it was filled with.

    Raises: NotFilled, DatabaseProblem.
    """
    await schema.migrate(url)
    async with schema.connected(url) as connection:
        await connection.rollback()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        return await _filled(driver, plan, even_with_users=even_with_users)


async def _filled(driver: Any, plan: Plan, *, even_with_users: bool) -> Plan:  # noqa: ANN401  (it is untyped)
    plan = await _agreed(driver, plan, even_with_users=even_with_users)
    await driver.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
    made = tables(plan)
    if await _done(driver, "taken down") is None:
        with _told("keys and indexes taken down"):
            await _take_down(driver, [one.table for one in made])
    await driver.execute(functions(plan))
    for one in made:
        await _make(driver, one)
    for row in await driver.fetch(f"SELECT step, note FROM {_NOTES} WHERE done = 0 AND note <> '' ORDER BY number"):  # noqa: S608
        with _told(row["step"]):
            async with driver.transaction():
                await driver.execute(row["note"])
                await _keep(driver, row["step"], done=1)
    await driver.execute(
        "SELECT setval(pg_get_serial_sequence('audit_entries', 'sequence'), max(sequence)) FROM audit_entries"
    )
    for one in made:
        with _told(f"{one.table} looked through"):
            await driver.execute(f"VACUUM ANALYZE {one.table}")
    await driver.execute(f"DROP TABLE {_NOTES}")
    return plan


async def _agreed(driver: Any, plan: Plan, *, even_with_users: bool) -> Plan:  # noqa: ANN401
    """The plan, or the one that was begun with."""
    begun = await driver.fetchval("SELECT to_regclass($1) IS NOT NULL", _NOTES)
    if begun:
        kept = json.loads(await driver.fetchval(f"SELECT note FROM {_NOTES} WHERE step = 'plan'"))  # noqa: S608
        was = Plan(**{**kept, **{name: datetime.fromisoformat(kept[name]) for name in ("since", "until")}})
        if replace(was, since=plan.since, until=plan.until, last_sequence=0, last_position=0) != plan:
            message = f"Another filling was interrupted here: {was.users} users. Finish that one first."
            raise NotFilled(message)
        return was
    if not even_with_users and await driver.fetchval("SELECT EXISTS (SELECT FROM users)"):
        message = "There are users in this database. Take an empty one, or add --even-with-users."
        raise NotFilled(message)
    last = await driver.fetchrow(
        "SELECT (SELECT coalesce(max(sequence), 0) FROM audit_entries) AS last_sequence, "
        "(SELECT coalesce(max(position), 0) FROM audit_proofs) AS last_position"
    )
    plan = replace(plan, **last)
    async with driver.transaction():
        await driver.execute(_NOTE)
        await _keep(driver, "plan", done=1, note=json.dumps(asdict(plan), default=datetime.isoformat))
    return plan


async def _take_down(driver: Any, names: Sequence[str]) -> None:  # noqa: ANN401
    """All of it or nothing, with what puts it up again."""
    async with driver.transaction():
        found = await driver.fetch(_TAKEN_DOWN, names)
        for one in found:
            await driver.execute(one["down"])
        for one in sorted(found, key=lambda one: (one["rank"], one["name"])):
            await _keep(driver, one["name"], done=0, note=one["up"])
        await _keep(driver, "taken down", done=1)


async def _make(driver: Any, made: Made) -> None:  # noqa: ANN401
    done = await _done(driver, made.table) or 0
    if done == made.count:
        return
    with _told(f"{made.table}: {made.count:,}"):
        while done < made.count:
            last = min(done + _AT_ONCE, made.count)
            async with driver.transaction():
                await driver.execute(made.statement, done + 1, last)
                await _keep(driver, made.table, done=last)
            done = last
            _tell(f"\r{made.table}: {done:,} of {made.count:,} ")


async def _done(driver: Any, step: str) -> int | None:  # noqa: ANN401
    done: int | None = await driver.fetchval(f"SELECT done FROM {_NOTES} WHERE step = $1", step)  # noqa: S608
    return done


async def _keep(driver: Any, step: str, *, done: int, note: str = "") -> None:  # noqa: ANN401
    await driver.execute(
        f"INSERT INTO {_NOTES} (step, done, note) VALUES ($1, $2, $3) ON CONFLICT (step) DO UPDATE SET done = $2",  # noqa: S608
        step,
        done,
        note,
    )


@contextmanager
def _told(step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    _tell(f"\r{step}: {time.perf_counter() - began:.1f} s\n")


def _tell(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill what is named."""
    asked = _parser().parse_args(arguments)
    now = datetime.now(UTC).replace(microsecond=0)
    plan = Plan(
        users=asked.users,
        sessions=asked.users * asked.sessions_per_user,
        tokens_per_session=asked.tokens_per_session,
        entries=asked.users * asked.audit_per_user,
        since=now - _YEARS,
        until=now,
    )
    try:
        with database_of(asked) as url, _told("all of it"):
            asyncio.run(fill(url, plan, even_with_users=asked.even_with_users))
    except (NotFilled, DatabaseProblem, EmbeddedPostgresError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. The same command goes on from here.")


@contextmanager
def database_of(asked: argparse.Namespace) -> Iterator[str]:
    """The URL of the database that was named, or of the server in the folder that was."""
    if asked.database is not None:
        try:
            url = asyncpg_url(asked.database)
        except ValueError as problem:
            sys.exit(f"--database {problem}")
        yield url
    else:
        with embedded_postgres(asked.home) as url:
            yield url


def where(parser: argparse.ArgumentParser) -> None:
    """Add what `database_of` asks for."""
    named = parser.add_mutually_exclusive_group(required=True)
    named.add_argument("--database", metavar="URL", help="postgresql://user:password@host:5432/database, as its owner")
    named.add_argument("--home", type=Path, metavar="FOLDER", help="an embedded server, whose data is there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fill", description="Fill a database with as many users as a large installation has."
    )
    where(parser)
    parser.add_argument("--users", type=int, default=1_000_000, help="how many, 1_000_000 by default")
    parser.add_argument("--sessions-per-user", type=int, default=2)
    parser.add_argument("--tokens-per-session", type=int, default=3, help="how often each was refreshed, and one")
    parser.add_argument("--audit-per-user", type=int, default=5, help="audit entries")
    parser.add_argument("--even-with-users", action="store_true", help="although there are users already")
    return parser


if __name__ == "__main__":
    main()
