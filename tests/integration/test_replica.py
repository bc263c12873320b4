"""A copy that lags behind decides nothing, and shows operators a list (fault 7). A real primary and a real standby."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import schema
from adapters.postgres.database import open_engine
from adapters.postgres.replica import PostgresReplica
from adapters.system.randomness import SystemRandomness
from application.admin.list_users import ListUsers
from application.ports.unit_of_work import DatabaseUnavailable, UnitOfWork
from tests.conftest import unit_of_work_on
from tests.standby import Pair, primary_and_standby
from tests.world import new_user

LONG = 60.0


@dataclass
class House:
    """Lists from the copy, and a clock that moves when it is told to."""

    pair: Pair
    primary: AsyncEngine
    replica: AsyncEngine
    now: float = 0.0
    asked: int = 0
    used: int = 0
    delayed: PostgresReplica = field(init=False)
    unit_of_work: UnitOfWork = field(init=False)

    def __post_init__(self) -> None:
        self.unit_of_work = unit_of_work_on(self.primary)
        self.delayed = self.reads(most_behind=timedelta(hours=1))
        event.listen(self.replica.sync_engine, "do_connect", self._count_asked)
        event.listen(self.replica.sync_engine, "checkout", self._count_used)

    def reads(self, *, most_behind: timedelta) -> PostgresReplica:
        return PostgresReplica(
            self.replica, self.primary, SystemRandomness(), most_behind=most_behind, clock=lambda: self.now
        )

    async def register(self, email: str) -> None:
        async with self.unit_of_work.begin() as tx:
            await tx.users.add(new_user(email))

    async def listed(self, delayed: PostgresReplica | None = None) -> set[str]:
        page = await ListUsers(delayed or self.delayed).execute(limit=10)
        return {user.email.canonical for user in page.items}

    def _count_asked(self, *_: object) -> None:
        self.asked += 1

    def _count_used(self, *_: object) -> None:
        self.used += 1

    async def say(self, engine: AsyncEngine, statement: str) -> object:
        async with engine.connect() as connection:
            return (await connection.execute(text(statement))).scalar_one()

    async def caught_up(self) -> None:
        """Return once the copy has all that there is."""
        stands_at = await self.say(self.primary, "SELECT pg_current_wal_lsn()::text")
        async with asyncio.timeout(LONG):
            while not await self.say(self.replica, f"SELECT pg_last_wal_replay_lsn() >= '{stands_at}'::pg_lsn"):
                pass


@pytest.fixture
async def house(home: Path, tmp_path: Path) -> AsyncIterator[House]:
    with primary_and_standby(home, tmp_path / "copy", together=False) as pair:
        await schema.migrate(pair.primary.url())
        async with open_engine(pair.primary.url()) as primary, open_engine(pair.standby.url()) as replica:
            house = House(pair, primary, replica)
            await house.register("ada@example.com")
            await house.caught_up()
            yield house


async def test_fault_7_a_list_is_read_from_the_copy_as_long_as_that_is_near(house: House) -> None:
    await house.say(house.replica, "SELECT pg_wal_replay_pause()::text")
    await house.register("bob@example.com")
    assert await house.listed() == {"ada@example.com"}
    # The same copy, of which less is borne.
    assert await house.listed(house.reads(most_behind=timedelta(0))) == {"ada@example.com", "bob@example.com"}
    await house.say(house.replica, "SELECT pg_wal_replay_resume()::text")
    await house.caught_up()
    # It has all that there is: how long ago that was is no matter. Asked for that, and for the list.
    used = house.used
    assert await house.listed(house.reads(most_behind=timedelta(0))) == {"ada@example.com", "bob@example.com"}
    assert house.used == used + 2


async def test_fault_7_a_copy_that_is_lost_is_left_alone_for_a_while(house: House) -> None:
    """Whoever was reading comes again, and nobody else notices."""

    async def lose_it() -> None:
        async with house.delayed.read() as tx:
            house.pair.standby.stop()
            await tx.users.find_by_email(new_user("ada@example.com").email)

    await house.say(house.replica, "SELECT pg_wal_replay_pause()::text")
    await house.register("bob@example.com")
    everybody = {"ada@example.com", "bob@example.com"}
    with pytest.raises(DatabaseUnavailable):
        await lose_it()
    asked = house.asked
    assert await house.listed() == everybody
    assert house.asked == asked
    house.now += 10
    assert await house.listed() == everybody
    assert house.asked == asked + 1
    house.pair.standby.ensure_running(may_clean_up=False)
    assert await house.listed() == everybody
    assert house.asked == asked + 1
    house.now += 10
    assert await house.listed() == everybody
    assert house.asked == asked + 2


async def test_fault_7_a_copy_that_was_promoted_is_none_any_more(house: House) -> None:
    house.pair.promote()
    await house.register("bob@example.com")
    assert await house.listed() == {"ada@example.com", "bob@example.com"}
