"""The migrations: up, down, up again, and the models they must lead to."""

import asyncio
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select, text

from adapters.postgres import jobs, schema
from adapters.postgres.database import open_engine
from adapters.postgres.models import Base
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.readiness import PostgresReadiness

CONFIG = Config()
CONFIG.set_main_option("script_location", str(schema.migrations_folder()))
REVISIONS = [script.revision for script in ScriptDirectory.from_config(CONFIG).walk_revisions()][::-1]


async def run(url: str, what: str, revision: str) -> None:
    def on(connection: Connection) -> None:
        CONFIG.attributes["connection"] = connection
        getattr(command, what)(CONFIG, revision)

    async with schema.connected(url) as connection:
        await connection.run_sync(on)
        await connection.commit()


async def tables(url: str) -> set[str]:
    async with schema.connected(url) as connection:
        names = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        return set(names.scalars()) - {schema.VERSION_TABLE}


async def test_each_migration_goes_up_down_and_up(empty_database: str) -> None:
    for revision in REVISIONS:
        await run(empty_database, "upgrade", revision)
        await run(empty_database, "downgrade", "-1")
        await run(empty_database, "upgrade", revision)
    assert await tables(empty_database) == set(Base.metadata.tables) | jobs.TABLES
    await run(empty_database, "downgrade", "base")
    assert await tables(empty_database) == set()


async def test_the_migrations_lead_to_the_models(database: str) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(
            compare_metadata(
                MigrationContext.configure(
                    connection,
                    opts={
                        "version_table": schema.VERSION_TABLE,
                        "include_name": lambda name, kind, _: kind != "table" or name not in jobs.TABLES,
                    },
                ),
                Base.metadata,
            )
        )

    async with schema.connected(database) as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_of_the_models_is_in_the_database(database: str) -> None:
    # Alembic compares neither checks nor the names of keys.
    async with schema.connected(database) as connection:
        names = await connection.execute(
            text(
                "SELECT conname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid "
                "WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND relname <> ALL(:others)"
            ),
            {"others": [schema.VERSION_TABLE, *jobs.TABLES]},
        )
        found = set(names.scalars())
    wanted = {constraint.name for table in Base.metadata.tables.values() for constraint in table.constraints}
    assert found == wanted


async def test_the_queue_is_as_the_library_that_is_installed_wants_it(database: str) -> None:
    async with jobs.open_queue(database) as queries:
        assert (await queries.plan_upgrade()).statements == ()


async def test_of_many_that_migrate_at_once_one_does_the_work(empty_database: str) -> None:
    """Fault 29."""
    await run(empty_database, "downgrade", "base")
    applied = await asyncio.gather(*(schema.migrate(empty_database) for _ in range(8)))
    assert sorted(applied, key=len) == [[]] * 7 + [REVISIONS]
    assert await schema.migrate(empty_database) == []


async def test_a_database_that_lacks_migrations_is_not_ready(empty_database: str) -> None:
    await run(empty_database, "downgrade", "base")
    async with open_engine(empty_database) as engine:
        readiness = PostgresReadiness(engine)
        assert await readiness.problems() == ["The database lacks migrations: run hallporter migrate."]
        with pytest.raises(DatabaseProblem, match="hallporter migrate"):
            await schema.expect_up_to_date(empty_database)
        await schema.migrate(empty_database)
        assert await readiness.problems() == []
        assert await readiness.problems() == []
    await schema.expect_up_to_date(empty_database)


async def test_the_schema_of_a_later_release_is_good_enough(empty_database: str) -> None:
    """Fault 29."""
    await schema.migrate(empty_database)
    async with schema.connected(empty_database) as connection:
        await connection.execute(text("UPDATE hallporter_schema SET version_num = 'from_the_future'"))
        await connection.commit()
    try:
        await schema.expect_up_to_date(empty_database)
        assert await schema.migrate(empty_database) == []
    finally:
        async with schema.connected(empty_database) as connection:
            await connection.execute(text("UPDATE hallporter_schema SET version_num = :head"), {"head": REVISIONS[-1]})
            await connection.commit()


async def test_a_failing_migration_keeps_its_own_error(empty_database: str) -> None:
    async def fail() -> None:
        async with schema.connected(empty_database):
            raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        await fail()


def test_the_folder_of_migrations_is_no_package() -> None:
    assert not (Path(schema.migrations_folder()) / "__init__.py").exists()


async def test_lg_10_a_new_database_knows_nobody(empty_database: str) -> None:
    await run(empty_database, "downgrade", "base")
    await schema.migrate(empty_database)
    async with schema.connected(empty_database) as connection:
        for table in Base.metadata.sorted_tables:
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0, table.name
