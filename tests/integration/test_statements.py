"""How many statements things cost."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.database import open_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DatabaseUnavailable, UnitOfWork
from application.sessions.authenticate import Authenticate
from domain.mfa.requirement import MfaRequirement
from tests.statements import statements_to
from tests.world import World, make_world, memory_adapters, new_user


@pytest.fixture
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What goes to the database."""
    with statements_to(engine) as seen:
        yield seen


@pytest.fixture
def world(engine: AsyncEngine, postgres_uow: UnitOfWork) -> World:
    return make_world(replace(memory_adapters(), unit_of_work=PostgresUnitOfWork(engine, SystemRandomness())))


async def test_to_ask_who_is_calling_costs_one_statement(world: World, statements: list[str]) -> None:
    await world.register()
    signed_in = await world.sign_in()
    await asyncio.sleep(0)  # the driver tells in the next turn
    statements.clear()
    for _ in range(3):
        await world.container.resolve(Authenticate).execute(access_token=signed_in.access_token)
    await asyncio.sleep(0)
    assert len(statements) == 3
    assert all("JOIN users" in statement for statement in statements)


async def test_whether_somebody_has_to_enrol_costs_nothing_where_nobody_has_to(
    world: World, statements: list[str]
) -> None:
    """One statement more for each new token where a factor is required, and none for each request."""
    await world.register()
    found = {}
    for required in (MfaRequirement.NONE, MfaRequirement.ADMINS, MfaRequirement.EVERYONE):
        settings = world.settings.model_copy(update={"mfa_required": required})
        other = make_world(world.adapters, settings)
        signed_in = await other.sign_in()
        await other.refresh(signed_in.refresh_token)
        await asyncio.sleep(0)
        statements.clear()
        signed_in = await other.sign_in()
        await asyncio.sleep(0)
        signing_in = len(statements)
        tokens = await other.refresh(signed_in.refresh_token)
        await asyncio.sleep(0)
        refreshing = len(statements) - signing_in
        await other.container.resolve(Authenticate).execute(access_token=tokens.access_token)
        await asyncio.sleep(0)
        found[required] = (signing_in, refreshing, len(statements) - signing_in - refreshing)
    signing_in, refreshing, asking = found[MfaRequirement.NONE]
    assert asking == 1
    assert found[MfaRequirement.ADMINS] == (signing_in, refreshing, 1)
    assert found[MfaRequirement.EVERYONE] == (signing_in + 1, refreshing + 1, 1)


async def test_to_refresh_costs_two_statements_and_no_transaction(world: World, statements: list[str]) -> None:
    await world.register()
    signed_in = await world.sign_in()
    await asyncio.sleep(0)
    statements.clear()
    refreshed = await world.refresh(signed_in.refresh_token)
    await world.refresh(refreshed.refresh_token)
    await asyncio.sleep(0)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "WITH"] * 2


async def test_who_is_calling_is_asked_over_the_connections_that_everything_else_has(
    database: str, world: World
) -> None:
    await world.register()
    signed_in = await world.sign_in()
    async with open_engine(database, pool_size=1, pool_timeout=0.05) as engine:
        unit_of_work = PostgresUnitOfWork(engine, SystemRandomness())
        async with unit_of_work.begin():
            with pytest.raises(DatabaseUnavailable):
                async with unit_of_work.read() as tx:
                    await tx.sessions.find_live(signed_in.session_id, at=world.clock.now())
        async with unit_of_work.read() as tx:
            first = await tx.sessions.find_live(signed_in.session_id, at=world.clock.now())
            user = await tx.users.find_by_email(new_user().email)
            then = await tx.sessions.find_live(signed_in.session_id, at=world.clock.now())
    assert first is not None
    assert first == then
    assert user == first.user


async def test_reading_by_single_statements_leaves_no_transaction_open(
    owner: AsyncEngine, postgres_uow: UnitOfWork
) -> None:
    async with postgres_uow.read() as tx:
        await tx.users.find_by_email(new_user().email)
        async with owner.connect() as other:
            found = await other.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            assert found.scalar_one() == 0


async def test_a_page_of_users_is_one_walk_along_the_index(owner: AsyncEngine, postgres_uow: UnitOfWork) -> None:
    async with owner.connect() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO users (id, version, email, email_canonical, roles, security_epoch, created_at, updated_at) "
            "SELECT gen_random_uuid(), 1, n || '@example.com', n || '@example.com', '{}', 0, now(), now() "
            "FROM generate_series(1, 5000) n"
        )
        await connection.exec_driver_sql("ANALYZE users")
        plan = await connection.exec_driver_sql(
            "EXPLAIN SELECT * FROM users WHERE id < gen_random_uuid() ORDER BY id DESC LIMIT 50"
        )
        lines = "\n".join(plan.scalars())
    assert "Index Scan Backward using pk_users" in lines
    assert "Sort" not in lines
