"""How Alembic meets the database: on the connection it is handed, or else on the one of the settings."""

import asyncio

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection, text

from adapters.postgres import jobs, roles, schema
from adapters.postgres.models import Base


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table that was found is one that the models speak of. Those of the job queue are PgQueuer's."""
    return kind != "table" or name not in jobs.TABLES


def run_on(connection: Connection) -> None:
    """Apply the migrations in one transaction, one process at a time."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        version_table=schema.VERSION_TABLE,
        include_name=is_ours,
    )
    with context.begin_transaction():
        schema.take_turns(connection)
        # Whoever waits for a table makes every request behind wait as well (fault 29).
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        context.run_migrations()


async def run_on_url(url: str) -> None:
    """Connect, and apply the migrations."""
    async with schema.connected(url) as connection:
        await connection.run_sync(run_on)
        await connection.run_sync(roles.restrict, schema.VERSION_TABLE)
        await connection.commit()


def run_offline() -> None:
    """Print the SQL (`--sql`) instead of running it."""
    context.configure(
        dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True, version_table=schema.VERSION_TABLE
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
