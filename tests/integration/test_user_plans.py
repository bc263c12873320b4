"""Lists of a million users: one range of one index for every page, whatever is asked and however deep."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from adapters.postgres import schema
from adapters.postgres.models.users import RARE_ORDERS
from adapters.postgres.user_pages import page_of_users
from application.paging.page import MOST_EXAMINED
from application.ports.user_search import UserFilter, UserOrder, UserPosition, UserStatus
from domain.ids import UserId
from domain.users.roles import ADMIN
from tests.conftest import _database

USERS = 1_000_000
LIMIT = 50
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
# Made as a dump is restored: rows first, indexes after.
_MAKE = """
INSERT INTO users (id, version, email, email_canonical, email_verified_at, roles, security_epoch, suspended_at,
                   suspension_reason, deletion_due_at, created_at, updated_at, last_seen_at)
SELECT lpad(to_hex(n), 32, '0')::uuid, 1, address, address,
       CASE WHEN n % 10 <> 0 THEN moment END,
       CASE WHEN n % 9973 = 0 THEN '{admin}'::text[] WHEN n % 20 = 0 THEN '{porter}' ELSE '{}' END,
       0,
       CASE WHEN n % 101 = 0 THEN moment END, CASE WHEN n % 101 = 0 THEN 'spam' END,
       CASE WHEN n % 1009 = 0 THEN moment END,
       moment, moment, moment + n * 7919 % 1000000 * interval '1 minute'
FROM generate_series(1::bigint, 1000000) AS n,
     LATERAL (SELECT 'user' || n * 104729 % 1000000 || '@example.com' AS address,
                     timestamptz '2020-01-01 00:00Z' + n * interval '1 minute' AS moment) AS made
"""


@pytest.fixture(scope="module")
def million(postgres_server: str) -> Iterator[str]:
    """The URL of a database with a million users."""

    async def make(url: str) -> None:
        await schema.migrate(url)
        async with schema.connected(url) as connection:
            indexes = (
                await connection.execute(
                    text(
                        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'users' AND indexname LIKE 'ix_%'"
                    )
                )
            ).all()
            for index in indexes:
                await connection.execute(text(f"DROP INDEX {index.indexname}"))
            await connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
            # Other tests want a core, too.
            await connection.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
            await connection.exec_driver_sql(_MAKE)
            for index in indexes:
                await connection.exec_driver_sql(index.indexdef)
            await connection.commit()
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text("VACUUM ANALYZE users"))
        await engine.dispose()

    with _database(postgres_server) as url:
        asyncio.run(make(url))
        yield url


@pytest.fixture
async def connection(million: str) -> AsyncIterator[AsyncConnection]:
    async with schema.connected(million) as connection:
        yield connection


FILTERS = {
    "everybody": UserFilter(),
    **{status.value: UserFilter(status=status) for status in UserStatus},
    "operators": UserFilter(role=ADMIN),
    "porters": UserFilter(role="porter"),
    "a role that nobody has": UserFilter(role="nobody"),
    "verified": UserFilter(email_verified=True),
    "unverified": UserFilter(email_verified=False),
    "a prefix": UserFilter(email_prefix="user77"),
    "a prefix that nobody has": UserFilter(email_prefix="zz"),
    "created lately": UserFilter(created_after=_SINCE + timedelta(minutes=USERS - 70)),
    "created long ago": UserFilter(created_before=_SINCE + timedelta(days=1)),
    "long unseen": UserFilter(last_seen_before=_SINCE + timedelta(days=1)),
    "suspended and unverified": UserFilter(status=UserStatus.SUSPENDED, email_verified=False),
    "all at once": UserFilter(
        status=UserStatus.ACTIVE,
        role="porter",
        email_verified=True,
        email_prefix="user",
        created_after=_SINCE,
        created_before=_SINCE + timedelta(days=500),
        last_seen_before=_SINCE + timedelta(days=600),
    ),
}

# What many have, or who is asked for by what has an index: nobody else is looked at.
COSTING_A_PAGE = [FILTERS[name] for name in ("everybody", "suspended", "unverified")]


def deep(order: UserOrder) -> UserPosition:
    """In the middle of all."""
    middle: dict[str, datetime | str] = {
        "created_at": _SINCE + timedelta(minutes=USERS // 2),
        "last_seen_at": _SINCE + timedelta(minutes=USERS),
        "email": "user5@example.com",
    }
    return UserPosition(middle[order.key], UserId(UUID(int=USERS // 2)))


async def explained(connection: AsyncConnection, query: Any, how: str) -> dict[str, Any]:
    compiled = query.compile(dialect=connection.dialect)
    values = compiled.construct_params()
    arguments = tuple(values[name] for name in compiled.positiontup or ())
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    sql = f"EXPLAIN ({how}, FORMAT JSON) {compiled}"
    # Of a generic plan the values are not looked at.
    found = await driver.fetchval(sql, *arguments)
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


async def expect_one_range(
    connection: AsyncConnection, only: UserFilter, order: UserOrder, after: UserPosition | None
) -> dict[str, Any]:
    """The scan of a page, which is all there is to it."""
    prepared, values = page_of_users(only, order, after, LIMIT)
    query = prepared.statement.params(values)
    plan = await explained(connection, query, "ANALYZE, BUFFERS")
    for planned in (plan, await explained(connection, query, "GENERIC_PLAN")):
        kinds = [node["Node Type"] for node in nodes(planned)]
        # Of what very few have, the planner may as well sort all.
        assert set(kinds) - {"Sort"} <= {"Limit", "Subquery Scan", "WindowAgg", "Index Scan"}, (kinds, only, order)
    (scan,) = [node for node in nodes(plan) if node["Node Type"] == "Index Scan"]
    assert scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) <= MOST_EXAMINED, (only, order)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 2 * MOST_EXAMINED, (only, order)
    return scan


async def test_every_page_of_a_million_is_one_range_of_one_index(connection: AsyncConnection) -> None:
    """In one test, for the million is made for each process that has one."""
    for only, order in product(FILTERS.values(), UserOrder):
        for after in (None, deep(order)):
            scan = await expect_one_range(connection, only, order, after)
            if only in COSTING_A_PAGE and order.key in RARE_ORDERS:
                assert scan["Actual Rows"] == LIMIT + 1, (only, order)
    query = text("EXPLAIN (FORMAT JSON) SELECT * FROM users WHERE email_canonical = 'user7@example.com'")
    plan = (await connection.execute(query)).scalar_one()[0]["Plan"]
    assert [node["Node Type"] for node in nodes(plan)] == ["Index Scan"]
