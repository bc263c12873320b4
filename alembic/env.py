"""How Alembic meets the database: on the connection it is handed, or else on the one of the settings."""

import asyncio
from collections.abc import Collection

from alembic import context
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, event

from adapters.postgres import jobs, roles, schema, turns
from adapters.postgres.models import Base


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table that was found is one that the models speak of. Those of the job queue are PgQueuer's."""
    return kind != "table" or name not in jobs.TABLES


def wait_briefly(connection: Connection) -> None:
    """Let no transaction of this connection wait long for a lock: everybody behind it waits as well (fault 29).

    That is less than the 1.5 s that requests have for a lock (adapters/postgres/database.py), so that none fails; and
    more than the 1 s after which PostgreSQL has an autovacuum give way. What commits by itself, as indexes that are
    built concurrently, holds nobody up and may wait.
    """
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        # On the driver's side: for SQLAlchemy the transaction is only about to begin.
        cursor = connection.connection.cursor()
        cursor.execute("SET LOCAL lock_timeout = '1200ms'")
        cursor.close()


def give_rights(*, ctx: MigrationContext, heads: Collection[str], **_: object) -> None:
    """Give the application its rights with the last migration: nobody finds a schema that is whole and lacks them."""
    if ctx.connection is not None and set(heads) == set(context.script.get_heads()):
        roles.restrict(ctx.connection, schema.VERSION_TABLE)


def run_on(connection: Connection) -> None:
    """Make the migrations, each in a transaction of its own: none holds locks for another, and none is made twice."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table=schema.VERSION_TABLE,
        include_name=is_ours,
        transaction_per_migration=True,
        # It is called by the names of its arguments, of which it takes some.
        on_version_apply=give_rights if context.config.attributes.get("give_rights", True) else None,  # type: ignore[arg-type]
    )
    event.listen(connection, "begin", wait_briefly)
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        event.remove(connection, "begin", wait_briefly)


async def run_on_url(url: str) -> None:
    """Connect, and make the migrations when it is our turn."""
    async with schema.connected(url) as connection, turns.taken(connection):
        await connection.run_sync(run_on)
        await connection.run_sync(roles.restrict, schema.VERSION_TABLE)
        await connection.commit()


def run_offline() -> None:
    """Print the SQL (`--sql`) instead of running it."""
    context.configure(
        dialect_name="postgresql",
        target_metadata=Base.metadata,
        literal_binds=True,
        version_table=schema.VERSION_TABLE,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if context.is_offline_mode():
    run_offline()
elif handed_over is not None:
    run_on(handed_over)
else:
    # Alembic's own command line. Imported here, since the migrations come with the PostgreSQL adapter, which knows
    # nothing of entry points.
    from entrypoints.database import database_url
    from entrypoints.settings import load_settings
    from entrypoints.startup import PROBLEMS

    try:
        with database_url(load_settings()) as configured_url:
            asyncio.run(run_on_url(configured_url))
    except PROBLEMS as problem:
        raise CommandError(str(problem)) from problem
