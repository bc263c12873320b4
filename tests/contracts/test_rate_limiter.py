"""Counters: as many as there are, of however many at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.rate_limiter import MemoryRateLimiter
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.redis.rate_limiter import open_redis_rate_limiter
from application.ports.rate_limiter import RateLimiter
from domain.throttling.throttle import Limit, Throttle, Throttled
from tests.conftest import empty

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIVE = Limit(5, timedelta(minutes=5))


def throttle(owner: str = "192.0.2.7", name: str = "sign_in", limit: Limit = FIVE) -> Throttle:
    return Throttle(owner=owner, name=name, limit=limit)


@pytest.fixture
def memory_limiter() -> RateLimiter:
    return MemoryRateLimiter()


@pytest.fixture
async def postgres_limiter(engine: AsyncEngine) -> RateLimiter:
    await empty(engine)
    return PostgresRateLimiter(engine)


@pytest.fixture
async def redis_limiter(redis_url: str) -> AsyncIterator[RateLimiter]:
    async with open_redis_rate_limiter(redis_url) as limiter:
        yield limiter


@pytest.fixture(params=["memory", "postgres", "redis"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    found: RateLimiter = request.getfixturevalue(f"{request.param}_limiter")
    return found


async def passed(limiter: RateLimiter, *throttles: Throttle, at: datetime = NOW, times: int = 20) -> int:
    """How many of so many pass, one after the other."""
    count = 0
    for _ in range(times):
        try:
            await limiter.use(*throttles, at=at)
        except Throttled:
            return count
        count += 1
    return count


async def test_as_many_pass_as_there_are_and_then_one_each_interval(limiter: RateLimiter) -> None:
    assert await passed(limiter, throttle()) == 5
    with pytest.raises(Throttled) as refusal:
        await limiter.use(throttle(), at=NOW + timedelta(seconds=59))
    assert refusal.value.retry_after == timedelta(seconds=1)
    assert await passed(limiter, throttle(), at=NOW + timedelta(seconds=60)) == 1
    assert await passed(limiter, throttle(), at=NOW + timedelta(hours=1)) == 5


async def test_a_refusal_says_what_was_used_up(limiter: RateLimiter) -> None:
    plenty, one = throttle("network"), throttle("address", limit=Limit(1, timedelta(hours=1)))
    await limiter.use(plenty, one, at=NOW)
    for throttles, left in (((plenty, one), [3]), ((one, plenty), []), ((one,), [])):
        with pytest.raises(Throttled) as refusal:
            await limiter.use(*throttles, at=NOW)
        assert refusal.value.throttle == one
        assert [allowance.remaining for allowance in refusal.value.before] == left


async def test_what_is_left_is_told(limiter: RateLimiter) -> None:
    for left in (4, 3, 2, 1, 0):
        (allowance,) = await limiter.use(throttle(), at=NOW)
        assert (allowance.limit, allowance.remaining) == (FIVE, left)
        assert allowance.full_in == timedelta(minutes=5 - left)


async def test_each_owner_and_each_name_has_a_counter_of_its_own(limiter: RateLimiter) -> None:
    assert await passed(limiter, throttle("ada")) == 5
    assert await passed(limiter, throttle("Ada")) == 5
    assert await passed(limiter, throttle("ada", "mail")) == 5
    assert await passed(limiter, throttle("ad\u00e4")) == 5
    assert await passed(limiter, throttle("ada")) == 0
    # No owner ends where a name begins.
    assert await passed(limiter, throttle("2001:db8", "0:mail")) == 5
    assert await passed(limiter, throttle("2001:db8:0", "mail")) == 5


async def test_a_refusal_uses_up_nothing(limiter: RateLimiter) -> None:
    await passed(limiter, throttle(), times=500)
    assert await passed(limiter, throttle(), at=NOW + FIVE.interval) == 1


async def test_of_several_the_first_that_has_nothing_left_keeps_the_later_ones_whole(limiter: RateLimiter) -> None:
    total = throttle("everybody", limit=Limit(7, timedelta(hours=7)))
    assert await passed(limiter, throttle("a"), total) == 5
    assert await passed(limiter, throttle("b"), total) == 2
    assert await passed(limiter, throttle("b")) == 2  # one was used on the way to a total that was used up
    assert await passed(limiter, total, at=NOW + timedelta(hours=7)) == 7


async def test_what_is_given_back_was_never_used(limiter: RateLimiter) -> None:
    everybody = throttle("everybody")
    for _ in range(50):
        await limiter.use(throttle(), everybody, at=NOW)
        await limiter.give_back(throttle(), everybody)
    assert await passed(limiter, throttle(), everybody) == 5
    await limiter.give_back(throttle())
    assert await passed(limiter, throttle()) == 1
    assert await passed(limiter, everybody) == 0


async def test_of_many_who_use_and_give_back_at_once_nobody_waits_for_good_and_nothing_is_lost(
    limiter: RateLimiter,
) -> None:
    everybody, barrier = throttle("everybody", limit=Limit(100, timedelta(hours=1))), asyncio.Barrier(60)

    async def one(number: int) -> None:
        mine = throttle(f"network {number % 3}", limit=Limit(100, timedelta(hours=1)))
        await barrier.wait()
        for _ in range(5):
            await limiter.use(mine, everybody, at=NOW)
            await limiter.give_back(mine, everybody)

    await asyncio.gather(*(one(number) for number in range(60)))
    assert await passed(limiter, everybody, at=NOW, times=200) == 100


async def test_giving_back_what_was_never_used_is_no_credit(limiter: RateLimiter) -> None:
    for _ in range(10):
        await limiter.give_back(throttle())
    await limiter.use(throttle(), at=NOW)
    for _ in range(10):
        await limiter.give_back(throttle())
    assert await passed(limiter, throttle()) == 5


async def test_lg_04_of_300_at_once_exactly_as_many_pass_as_there_are(limiter: RateLimiter) -> None:
    """Incident 41."""
    total = throttle("everybody", limit=Limit(20, timedelta(hours=20)))
    barrier = asyncio.Barrier(300)

    async def one(number: int) -> timedelta | None:
        await barrier.wait()
        try:
            await limiter.use(throttle(f"network {number % 100}"), total, at=NOW)
        except Throttled as refusal:
            return refusal.retry_after
        return None

    waits = await asyncio.gather(*(one(number) for number in range(300)))
    assert waits.count(None) == 20
    assert all(wait > timedelta(0) for wait in waits if wait is not None)


@pytest.mark.parametrize("limiter", ["memory", "postgres"], indirect=True)
async def test_counters_that_are_full_are_forgotten(limiter: RateLimiter) -> None:
    await limiter.use(throttle("early"), at=NOW)
    await limiter.use(throttle("late"), at=NOW + timedelta(seconds=30))
    assert await limiter.purge(at=NOW + FIVE.interval) == 1
    assert await limiter.purge(at=NOW + FIVE.interval) == 0
    assert await passed(limiter, throttle("late"), at=NOW + timedelta(seconds=30)) == 4


async def test_however_many_counters_there_are_those_that_are_full_are_forgotten(
    postgres_limiter: RateLimiter, engine: AsyncEngine
) -> None:
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "INSERT INTO throttles (owner, name, full_at) SELECT 'owner' || n / 2, 'name' || n % 2, "
                "CAST(:now AS timestamptz) + n % 3 * interval '1 second' FROM generate_series(1, 12000) AS n"
            ),
            {"now": NOW},
        )
    moments = [NOW + timedelta(seconds=seconds) for seconds in (0, 0, 1, 2)]
    assert [await postgres_limiter.purge(at=moment) for moment in moments] == [4000, 0, 4000, 4000]


async def test_all_counters_of_an_owner_can_be_forgotten_and_nobody_elses(limiter: RateLimiter) -> None:
    for owner, name in (("ada", "a"), ("ada", "b c"), ("ada*", "a"), ("ad", "a"), ("bob", "ada")):
        assert await passed(limiter, throttle(owner, name)) == 5
    await limiter.forget("ada", "nobody", "a?a")
    counts = {
        (owner, name): await passed(limiter, throttle(owner, name))
        for owner, name in (("ada", "a"), ("ada", "b c"), ("ada*", "a"), ("ad", "a"), ("bob", "ada"))
    }
    assert counts == {("ada", "a"): 5, ("ada", "b c"): 5, ("ada*", "a"): 0, ("ad", "a"): 0, ("bob", "ada"): 0}


async def test_memory_forgets_whoever_was_not_seen_for_longest() -> None:
    limiter = MemoryRateLimiter(most=3)
    for owner in ("a", "b", "c", "a", "d"):
        await limiter.use(throttle(owner, limit=Limit(2, timedelta(hours=1))), at=NOW)
    left = {owner: await passed(limiter, throttle(owner, limit=Limit(2, timedelta(hours=1)))) for owner in "adb"}
    assert left == {"a": 0, "d": 1, "b": 2}


@settings(max_examples=200, deadline=None)
@given(count=st.integers(1, 50), seconds=st.integers(1, 10_000), gaps=st.lists(st.integers(0, 500), max_size=60))
async def test_no_history_gets_more_than_twice_the_count_through_in_any_period(
    count: int, seconds: int, gaps: list[int]
) -> None:
    limiter, limit, at = MemoryRateLimiter(), Limit(count, timedelta(seconds=seconds)), NOW
    through = []
    for gap in gaps:
        at += timedelta(seconds=gap)
        through += [at] * await passed(limiter, throttle(limit=limit), at=at, times=3)
    for start in through:
        assert sum(start <= moment < start + limit.per for moment in through) <= 2 * count


@pytest.mark.parametrize(
    ("count", "per"), [(0, timedelta(hours=1)), (1, timedelta(0)), (10, timedelta(microseconds=4))]
)
def test_a_limit_that_lets_nobody_or_everybody_through_is_none(count: int, per: timedelta) -> None:
    with pytest.raises(ValueError, match="a limit lets one through"):
        Limit(count, per)


@pytest.mark.parametrize(("owner", "name"), [("", "x"), ("x", ""), ("x" * 65, "x"), ("x", "x" * 81)])
def test_owners_and_names_fit_into_their_columns(owner: str, name: str) -> None:
    with pytest.raises(ValueError, match="neither of them long"):
        Throttle(owner=owner, name=name, limit=FIVE)
