"""A large installation, made small: it is filled, goes on where it was interrupted, and statements are looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from adapters.postgres import schema
from benchmarks import explained, fill, made_rows
from benchmarks.at_scale import measure
from benchmarks.fill import NotFilled
from benchmarks.made_rows import Plan
from tests.conftest import _database

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PLAN = Plan(
    users=2_000,
    sessions=4_000,
    tokens_per_session=3,
    entries=6_000,
    since=NOW - timedelta(days=730),
    until=NOW,
)


class Interrupted(Exception):
    pass


@pytest.fixture
def new_database(postgres_server: str) -> Iterator[str]:
    with _database(postgres_server) as url:
        yield url


async def names_of_indexes(url: str) -> set[str]:
    async with schema.connected(url) as connection:
        found = await connection.execute(text("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"))
        return set(found.scalars())


async def count(url: str, table: str) -> int:
    async with schema.connected(url) as connection:
        found = await connection.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  (our own tables)
        return int(found.scalar_one())


async def test_what_was_interrupted_goes_on_and_is_found_by_index(
    new_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await schema.migrate(new_database)
    indexes = await names_of_indexes(new_database)
    monkeypatch.setattr(fill, "_AT_ONCE", 1_500)

    def stop(said: str) -> None:
        if "sessions: 3,000 of" in said:
            raise Interrupted

    with monkeypatch.context() as interrupting:
        interrupting.setattr(fill, "_tell", stop)
        with pytest.raises(Interrupted):
            await fill.fill(new_database, PLAN)
    assert await count(new_database, "sessions") == 3_000
    with pytest.raises(NotFilled, match="2000 users"):
        await fill.fill(new_database, Plan(users=1, sessions=1, tokens_per_session=1, entries=1, since=NOW, until=NOW))
    assert await fill.fill(new_database, PLAN) == PLAN
    counted = {one.table: await count(new_database, one.table) for one in made_rows.tables(PLAN)}
    wanted = {one.table: one.count for one in made_rows.tables(PLAN)}
    assert counted == wanted | {"refresh_tokens": 3 * PLAN.sessions}
    assert await names_of_indexes(new_database) == indexes
    with pytest.raises(NotFilled, match="even-with-users"):
        await fill.fill(new_database, PLAN)

    capsys.readouterr()
    # In tables of this size it is as good to look at every row.
    monkeypatch.setattr(explained, "SMALL", 1_000_000)
    assert await measure(new_database)
    said = capsys.readouterr().out
    assert "| who am I |" in said
    assert "| a backlog to purge: sessions (1 of 3) |" in said
    assert "| jobs: the next ones |" in said

    # One that is looked through where that is too much is found out.
    monkeypatch.setattr(explained, "SMALL", 10)
    async with schema.connected(new_database) as connection:
        await connection.execute(text("DROP INDEX ix_sessions_over"))
        await connection.commit()
    assert not await measure(new_database)
    assert "looks at every row of sessions" in capsys.readouterr().out
