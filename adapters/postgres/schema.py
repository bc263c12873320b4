"""Meeting a database: is it there, is it ours, is its schema up to date?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

OLDEST_SERVER = 16
_CONNECT_TIMEOUT = 5.0

# SQLSTATE (PostgreSQL manual, appendix A).
_WRONG_PASSWORD = {"28P01", "28000"}
_NO_SUCH_DATABASE = "3D000"


class DatabaseProblem(Exception):
    """The database cannot be used. The message is one sentence for people, and what to do; no password is in it."""


async def migrate(url: str) -> list[str]:
    """Bring the schema up to date; the revisions that it took, oldest first. Several at once take turns.

    Raises: DatabaseProblem.
    """
    async with _connected(url) as connection:
        applied = await connection.run_sync(_upgrade)
        await connection.commit()
    return applied


async def expect_up_to_date(url: str) -> None:
    """Make sure that a server that we can work with answers at `url`, and that its schema is this release's.

    Raises: DatabaseProblem.
    """
    async with _connected(url) as connection:
        if await pending(connection):
            message = "The database lacks migrations of this release. Run: hallporter migrate"
            raise DatabaseProblem(message)


async def pending(connection: AsyncConnection) -> list[str]:
    """The revisions that this release has and the database has not, oldest first."""
    return await connection.run_sync(_missing, ScriptDirectory.from_config(_config()))


def migrations_folder() -> Path:
    """Where the migrations are: in a checkout at the top, in an installed package beside this file."""
    checkout = Path(__file__).parents[2] / "alembic"
    return checkout if (checkout / "env.py").exists() else Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> list[str]:
    config = _config()
    config.attributes["connection"] = connection
    # Read under the lock that `env.py` takes too: two processes that start together must not both apply.
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hallporter.migrate'))"))
    missing = _missing(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, "head")
    return missing


def _missing(connection: Connection, scripts: ScriptDirectory) -> list[str]:
    present = MigrationContext.configure(connection).get_current_heads()
    missing = [script.revision for script in scripts.iterate_revisions("heads", present or "base")]
    return missing[::-1]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": _CONNECT_TIMEOUT}
    )
    try:
        async with engine.connect() as connection:
            number = int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one())
            if number < OLDEST_SERVER * 10_000:
                found = f"{number // 10_000}.{number % 10_000}"
                message = (
                    f"PostgreSQL {found} is too old; Hallporter needs {OLDEST_SERVER} or later. "
                    "Point DATABASE_URL at a newer server, or leave it out to use the embedded one."
                )
                raise DatabaseProblem(message)
            yield connection
    except (OSError, DBAPIError) as error:
        raise DatabaseProblem(_explained(error, url)) from error
    finally:
        await engine.dispose()


def _explained(error: OSError | DBAPIError, url: str) -> str:
    address = make_url(url)
    place = f"{address.host or address.query.get('host', 'localhost')}:{address.port or 5432}"
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if isinstance(error, OSError) or state is None:
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
    return f"PostgreSQL at {place} refuses with {state}: {str(error.orig).rpartition(': ')[2]}"
