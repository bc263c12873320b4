"""Meeting a database: does it answer, is it new enough, does it have our schema?"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres import indexes, roles, turns
from adapters.postgres.errors import DRIVER_ERRORS, NOT_PERMITTED, is_away, sqlstate_of
from adapters.postgres.problems import DatabaseAway, DatabaseProblem, problem_of, unanswered
from adapters.postgres.servers import Servers

if TYPE_CHECKING:
    from alembic.config import Config

OLDEST_SERVER = 16
VERSION_TABLE = "hallporter_schema"
"""Where the revision stands. Not Alembic's own name, which another program in the same database may use."""
_CONNECT_TIMEOUT = 2.0

_IN_THE_WAY = {"55P03", "40P01"}  # a lock took too long, a deadlock

# About two minutes, with the time that each attempt waits for a lock (alembic/env.py).
_MOST_ATTEMPTS = 60
_PAUSE_SECONDS = 1.0

_IS_MIGRATED = text(f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL")
_REVISION_THERE = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  (a constant)
_OLDEST_TRANSACTION = text(
    "SELECT pid, application_name AS name, extract(epoch FROM now() - xact_start)::int AS age FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL "
    # The one that holds our turn is idle as well.
    "AND NOT EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory') "
    "ORDER BY xact_start LIMIT 1"
)
_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What was done: revisions that were taken, oldest first; indexes that were built anew, or could not be."""

    applied: list[str]
    mended: list[str]
    broken: list[str]


async def pause(_attempt: int) -> None:
    """Let those through who waited behind us, before the next attempt."""
    await asyncio.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  (keeps attempts apart from theirs)


async def upgrade(url: str, *, between: Callable[[int], Awaitable[None]] = pause) -> Upgraded:
    """Bring the schema up to date, and mend the indexes that somebody began and did not finish.

    Raises: DatabaseProblem.
    """
    applied = await migrate(url, between=between)
    async with connected(url) as connection:
        if not await indexes.invalid(connection):
            return Upgraded(applied=applied, mended=[], broken=[])
        await connection.rollback()
        async with turns.taken(connection):
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            mended, broken = await indexes.mend(connection)
    return Upgraded(applied=applied, mended=mended, broken=broken)


async def migrate(url: str, *, between: Callable[[int], Awaitable[None]] = pause) -> list[str]:
    """Bring the schema up to date; the revisions that it took, oldest first. Several at once take turns.

    A migration that finds somebody in its way gives up at once, not to hold up those behind it, and is tried again
    after `between`, which is told how many attempts there have been.

    Raises: DatabaseProblem.
    """
    async with connected(url) as connection:
        applied: list[str] = []
        with _permitted():
            if not await is_up_to_date(connection):
                await connection.rollback()
                async with turns.taken(connection):
                    applied = await _in_attempts(connection, between)
        await connection.run_sync(roles.restrict, VERSION_TABLE)
        await connection.commit()
    return applied


async def _in_attempts(connection: AsyncConnection, between: Callable[[int], Awaitable[None]]) -> list[str]:
    missing = await connection.run_sync(missing_revisions)
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        await connection.rollback()
        try:
            await connection.run_sync(run_migrations)
        except DBAPIError as error:
            if sqlstate_of(error) not in _IN_THE_WAY:
                raise
            await connection.rollback()
            if attempt == _MOST_ATTEMPTS:
                raise DatabaseProblem(await _who_is_in_the_way(connection)) from error
            await between(attempt)
        else:
            break
    return missing


async def _who_is_in_the_way(connection: AsyncConnection) -> str:
    left = await connection.run_sync(missing_revisions)
    oldest = (await connection.execute(_OLDEST_TRANSACTION)).one_or_none()
    suspect = "" if oldest is None else f" The oldest is of process {oldest.pid} ({oldest.name}), {oldest.age} s old."
    return (
        f"Migration {left[0]} gave up after {_MOST_ATTEMPTS} attempts: transactions of others hold what it has to "
        f"lock.{suspect} Nothing of it is left, and nothing that serves is disturbed. When they have ended "
        "(pg_stat_activity tells), run again: hallporter upgrade"
    )


async def application_role(url: str) -> str | None:
    """The role that connections should step down to; None where they stay what they are.

    Raises: DatabaseProblem.
    """
    async with connected(url) as connection:
        return await roles.present_role(connection)


async def expect_up_to_date(url: str) -> None:
    """Make sure that a server that we can work with answers at `url`, and that its schema is this release's.

    Raises: DatabaseProblem.
    """
    async with connected(url) as connection:
        with _permitted():
            is_complete = await is_up_to_date(connection)
        if not is_complete:
            message = "The database lacks migrations of this release. Run: hallporter migrate"
            raise DatabaseProblem(message)


async def is_behind(url: str) -> bool:
    """Whether the database lacks migrations of this release.

    Raises: DatabaseProblem.
    """
    async with connected(url) as connection:
        return not await is_up_to_date(connection)


@contextmanager
def _permitted() -> Iterator[None]:
    """Say in a sentence that this user may not do it."""
    try:
        yield
    except DBAPIError as error:
        if sqlstate_of(error) != NOT_PERMITTED:
            raise
        message = (
            "The database lacks migrations of this release, and this user may not make them. "
            "Run as the owner of the tables: hallporter migrate"
        )
        raise DatabaseProblem(message) from error


async def is_up_to_date(connection: AsyncConnection) -> bool:
    """Whether the database has every migration of this release.

    One that this release does not know is of a later one, whose schema serves this release too (expand, then
    contract). Asks without Alembic, which a process that serves requests need not load.
    """
    migrated = await connection.execute(_IS_MIGRATED)
    if not migrated.scalar_one():
        return False
    revision = (await connection.execute(_REVISION_THERE)).scalar_one_or_none()
    known, head = own_revisions(migrations_folder())
    return revision == head or (revision is not None and revision not in known)


def migrations_folder() -> Path:
    """Where the migrations are: in a checkout at the top, in an installed package beside this file."""
    checkout = Path(__file__).parents[2] / "alembic"
    return checkout if (checkout / "env.py").exists() else Path(__file__).parent / "migrations"


def own_revisions(folder: Path) -> tuple[set[str], str]:
    """The revisions of this release, and the one of them that no other builds on. There are no branches."""
    scripts = [script.read_text() for script in (folder / "versions").glob("*.py")]
    revisions = {revision for script in scripts for revision in _REVISION.findall(script)}
    (head,) = revisions - {revision for script in scripts for revision in _DOWN_REVISION.findall(script)}
    return revisions, head


def missing_revisions(connection: Connection) -> list[str]:
    """The revisions of this release that the database lacks, oldest first."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415  (see _alembic)
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    present = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    missing = ScriptDirectory.from_config(_alembic(connection)).iterate_revisions("heads", present or "base")
    return [script.revision for script in missing][::-1]


def title_of(connection: Connection, revision: str) -> str:
    """What a migration says of itself, in a line."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  (see _alembic)

    return ScriptDirectory.from_config(_alembic(connection)).get_revision(revision).doc.rstrip(".")


def run_migrations(connection: Connection, target: str = "head", *, give_rights: bool = True) -> None:
    """Make the migrations up to `target`, each in a transaction of its own: see alembic/env.py.

    `connection` is in none, or they would all be made in that. Without `give_rights` the server's roles are left alone.
    """
    from alembic import command  # noqa: PLC0415  (see _alembic)

    config = _alembic(connection)
    config.attributes["give_rights"] = give_rights
    command.upgrade(config, target)


def _alembic(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  (loaded by those who migrate alone: it takes time and memory)

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to a server that we can work with, for work on the schema. Nothing is committed by itself.

    It is in no transaction yet.

    Raises: DatabaseProblem; DatabaseAway also where the server goes away under the block.
    """
    how = {"timeout": _CONNECT_TIMEOUT, "async_creator_fn": Servers().connect}
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=how)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(engine.dispose)
        try:
            connection = await opened.enter_async_context(engine.connect())
            number = int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one())
        except (OSError, DBAPIError) as error:
            raise problem_of(error, url) from error
        if number < OLDEST_SERVER * 10_000:
            message = (
                f"PostgreSQL {number // 10_000}.{number % 10_000} is too old; Hallporter needs {OLDEST_SERVER} or "
                "later. Point DATABASE_URL at a newer server, or leave it out to use the embedded one."
            )
            raise DatabaseProblem(message)
        await connection.rollback()
        try:
            yield connection
        except (ConnectionError, TimeoutError, DBAPIError, *DRIVER_ERRORS) as error:
            if not is_away(error):
                raise
            raise DatabaseAway(unanswered(url)) from error
