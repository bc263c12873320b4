"""Changing the schema while others use it: who waits for whom, and what is left when it goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import indexes, roles, schema
from adapters.postgres.problems import DatabaseProblem
from tests.made_up import INDEX, Release

ADDED = 'op.add_column("users", sa.Column("shoe_size", sa.Integer()))'


@pytest.fixture
async def other(new_database: str) -> AsyncIterator[AsyncConnection]:
    """Somebody else's connection."""
    async with schema.connected(new_database) as connection:
        yield connection


async def value(connection: AsyncConnection, sql: str) -> object:
    found = (await connection.execute(text(sql))).scalar_one()
    await connection.commit()
    return found


async def columns(connection: AsyncConnection) -> object:
    return await value(
        connection, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0"
    )


async def test_fault_29_a_migration_gives_up_and_tries_again_until_it_is_alone(
    release: Release, new_database: str, other: AsyncConnection
) -> None:
    revision, attempts = release.add(ADDED), []
    await other.execute(text("SELECT count(*) FROM users"))

    async def between(attempt: int) -> None:
        attempts.append(attempt)
        if attempt == 2:
            await other.commit()

    assert await schema.migrate(new_database, between=between) == [revision]
    assert attempts == [1, 2]


async def test_fault_29_whoever_never_ends_is_named_and_nothing_is_left(
    release: Release, new_database: str, other: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_MOST_ATTEMPTS", 1)
    before = await columns(other)
    release.add("pass")
    stuck = release.add(ADDED)
    pid = await value(other, "SELECT pg_backend_pid()")
    await other.execute(text("SELECT count(*) FROM users"))
    with pytest.raises(DatabaseProblem, match=rf"{stuck} gave up.* of process {pid} .*hallporter upgrade"):
        await schema.migrate(new_database)
    assert await columns(other) == before
    # What was made before it stays.
    async with schema.connected(new_database) as connection:
        assert await connection.run_sync(schema.missing_revisions) == [stuck]


async def test_fault_29_every_transaction_of_a_migration_waits_for_locks_briefly(
    release: Release, new_database: str, other: AsyncConnection
) -> None:
    note = "op.execute(\"INSERT INTO noted SELECT current_setting('lock_timeout')\")"
    await other.execute(text("CREATE TABLE noted (lock_timeout text)"))
    await other.commit()
    release.add(f"{note}\nwith op.get_context().autocommit_block():\n    {note}\n{note}")
    release.add(note)
    await schema.migrate(new_database)
    noted = (await other.execute(text("SELECT lock_timeout FROM noted"))).scalars().all()
    # Shorter than what requests wait for, so that those behind do not fail.
    assert noted == ["1200ms", "0", "1200ms", "1200ms"]


async def test_fault_29_an_index_is_built_while_a_transaction_writes(
    release: Release, new_database: str, other: AsyncConnection
) -> None:
    release.add(INDEX)
    await other.execute(text("LOCK TABLE users IN ROW EXCLUSIVE MODE"))
    building = asyncio.create_task(schema.migrate(new_database))
    async with schema.connected(new_database) as third:
        # It waits for the writer, and nobody waits for it.
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid')"
        async with asyncio.timeout(10):
            while not await value(third, waits):
                pass
        await third.execute(text("SET lock_timeout = '1ms'"))
        await third.execute(text("LOCK TABLE users IN ROW EXCLUSIVE MODE"))
        await third.commit()
        # Nor does a second one of ours, which the first would wait for in turn.
        second = asyncio.create_task(schema.migrate(new_database))
        await asyncio.sleep(0)
        await other.commit()
        assert (await building, await second) == (["made_up_1"], [])
    async with schema.connected(new_database) as connection:
        assert await indexes.invalid(connection) == []


async def leave_invalid(connection: AsyncConnection, name: str = "ix_users_locale") -> None:
    """An index as it is left by whoever is killed while it is built."""
    await connection.execute(text(f"CREATE INDEX {name} ON users (locale)"))
    await connection.execute(
        text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"), {"name": name}
    )
    await connection.commit()


async def test_fault_30_an_index_that_was_left_half_built_is_removed_and_built_by_the_migration(
    release: Release, new_database: str, other: AsyncConnection
) -> None:
    await leave_invalid(other)
    assert await indexes.invalid(other) == ["ix_users_locale"]
    await other.commit()
    release.add(INDEX)
    assert await schema.upgrade(new_database) == schema.Upgraded(applied=["made_up_1"], mended=[], broken=[])
    assert await indexes.invalid(other) == []


async def test_fault_30_an_index_that_no_migration_builds_is_mended_all_the_same(
    new_database: str, other: AsyncConnection
) -> None:
    await leave_invalid(other)
    await leave_invalid(other, '"ix_users_locale_ccnew1"')
    upgraded = await schema.upgrade(new_database)
    assert upgraded == schema.Upgraded(applied=[], mended=["ix_users_locale", "ix_users_locale_ccnew1"], broken=[])
    names = await other.execute(
        text("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'users'::regclass")
    )
    assert "ix_users_locale" in (found := set(names.scalars()))
    assert "ix_users_locale_ccnew1" not in found


async def test_fault_30_an_index_that_cannot_be_is_said_and_stops_nobody(
    new_database: str, other: AsyncConnection
) -> None:
    await other.execute(text("CREATE TABLE twins (name text)"))
    await other.execute(text("INSERT INTO twins VALUES ('a'), ('a')"))
    await other.commit()
    await other.execution_options(isolation_level="AUTOCOMMIT")
    with pytest.raises(DBAPIError):
        await other.execute(text("CREATE UNIQUE INDEX CONCURRENTLY ux_twins ON twins (name)"))
    assert await schema.upgrade(new_database) == schema.Upgraded(applied=[], mended=[], broken=["ux_twins"])


async def test_an_upgrade_of_what_is_up_to_date_does_nothing(new_database: str) -> None:
    assert await schema.upgrade(new_database) == schema.Upgraded(applied=[], mended=[], broken=[])


async def test_sk_06_no_process_finds_the_schema_whole_and_the_rights_not_given(blank_database: str) -> None:
    async with schema.connected(blank_database) as connection:
        await connection.run_sync(schema.run_migrations)
        assert await roles.present_role(connection) == roles.APPLICATION_ROLE


async def test_a_rehearsal_leaves_the_roles_of_a_server_alone(blank_database: str) -> None:
    async with schema.connected(blank_database) as connection:
        await connection.run_sync(partial(schema.run_migrations, give_rights=False))
        assert await roles.present_role(connection) is None
