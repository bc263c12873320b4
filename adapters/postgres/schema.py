"""Meeting a database: does it answer, is it new enough, does it have our schema?"""

import re
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres import roles

OLDEST_SERVER = 16
VERSION_TABLE = "hallporter_schema"
"""Where the revision stands. Not Alembic's own name, which another program in the same database may use."""
_CONNECT_TIMEOUT = 5.0

# SQLSTATE (PostgreSQL manual, appendix A).
_WRONG_PASSWORD = {"28P01", "28000"}
_NO_SUCH_DATABASE = "3D000"
_NOT_PERMITTED = "42501"

_IS_MIGRATED = text(f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL")
_REVISION_THERE = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  (a constant)
_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)
_DOWN_IS_MIGRATED = text(f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL")


class DatabaseProblem(Exception):
    """The database cannot be used. The message is one sentence for people, and what to do; no password is in it."""


async def migrate(url: str) -> list[str]:
    """Bring the schema up to date; the revisions that it took, oldest first. Several at once take turns.

    Raises: DatabaseProblem.
    """
    async with connected(url) as connection:
        applied: list[str] = []
        with _permitted():
            if not await is_up_to_date(connection):
                await connection.rollback()
                applied = await connection.run_sync(_upgrade)
        await connection.run_sync(roles.restrict, VERSION_TABLE)
        await connection.commit()
    return applied


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


@contextmanager
def _permitted() -> Iterator[None]:
    """Say in a sentence that this user may not do it."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_PERMITTED:
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
    known, head = _own_revisions()
    return revision == head or (revision is not None and revision not in known)


def migrations_folder() -> Path:
    """Where the migrations are: in a checkout at the top, in an installed package beside this file."""
    checkout = Path(__file__).parents[2] / "alembic"
    return checkout if (checkout / "env.py").exists() else Path(__file__).parent / "migrations"


def _own_revisions() -> tuple[set[str], str]:
    """The revisions of this release, and the one of them that no other builds on. There are no branches."""
    scripts = [script.read_text() for script in (migrations_folder() / "versions").glob("*.py")]
    revisions = {revision for script in scripts for revision in _REVISION.findall(script)}
    (head,) = revisions - {revision for script in scripts for revision in _DOWN_REVISION.findall(script)}
    return revisions, head


def take_turns(connection: Connection) -> None:
    """Wait until nobody else migrates; nobody else does until this transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hallporter.migrate'))"))


def _upgrade(connection: Connection) -> list[str]:
    from alembic import command  # noqa: PLC0415  (loaded by those who migrate alone: it takes time and memory)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    take_turns(connection)
    present = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_heads()
    missing = ScriptDirectory.from_config(config).iterate_revisions("heads", present or "base")
    revisions = [script.revision for script in missing][::-1]
    command.upgrade(config, "head")
    return revisions


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to a server that we can work with, for work on the schema. Nothing is committed by itself.

    Raises: DatabaseProblem.
    """
    engine = create_async_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": _CONNECT_TIMEOUT}
    )
    async with AsyncExitStack() as opened:
        opened.push_async_callback(engine.dispose)
        try:
            connection = await opened.enter_async_context(engine.connect())
            number = int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one())
        except (OSError, DBAPIError) as error:
            raise DatabaseProblem(_explained(error, url)) from error
        if number < OLDEST_SERVER * 10_000:
            message = (
                f"PostgreSQL {number // 10_000}.{number % 10_000} is too old; Hallporter needs {OLDEST_SERVER} or "
                "later. Point DATABASE_URL at a newer server, or leave it out to use the embedded one."
            )
            raise DatabaseProblem(message)
        yield connection


def _explained(error: OSError | DBAPIError, url: str) -> str:
    address = make_url(url)
    place = f"{address.host or address.query.get('host', 'localhost')}:{address.port or 5432}"
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    # The driver has no class of its own for a server without TLS; every other ConnectionError has one.
    if "ssl" in address.query and (type(error) is ConnectionError or isinstance(error, ssl.SSLError)):
        return f"PostgreSQL at {place} does not take the encrypted connection that sslmode asks for: {error}."
    if state is None:
        return f"No PostgreSQL answers at {place}. Start it, or correct host and port in DATABASE_URL."
    if state in _WRONG_PASSWORD:
        return (
            f"PostgreSQL at {place} refuses the user {address.username!r}. Correct user and password in DATABASE_URL."
        )
    if state == _NO_SUCH_DATABASE:
        return (
            f"PostgreSQL at {place} has no database {address.database!r}. "
            f"Create it (createdb {address.database}), or correct the name in DATABASE_URL."
        )
    return f"PostgreSQL at {place} refuses with {state}: {str(getattr(error, 'orig', error)).rpartition(': ')[2]}"
