"""Counters in Redis: the same answers as in memory, and doors that stay shut where there are none (fault 43)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.memory.rate_limiter import MemoryRateLimiter
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.redis import rate_limiter
from adapters.redis.rate_limiter import RedisRateLimiter, open_redis_rate_limiter
from application.ports.rate_limiter import RateLimiter, ThrottlesUnavailable
from domain.throttling.throttle import Allowance, Limit, Throttle, Throttled
from entrypoints.adapters import open_adapters
from tests.redis_server import RedisServer
from tests.world import SETTINGS

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIVE = Limit(5, timedelta(minutes=5))
ADA = Throttle(owner="ada", name="sign_in", limit=FIVE)
NOBODYS_DATABASE = "postgresql+asyncpg://u:p@127.0.0.1:1/d"


@pytest.fixture
async def limiter(redis_url: str) -> AsyncIterator[RateLimiter]:
    async with open_redis_rate_limiter(redis_url) as limiter:
        yield limiter


@pytest.fixture
def log() -> Iterator[list[structlog.typing.EventDict]]:
    quiet = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("DEBUG"))
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.configure(**quiet)


async def passes(limiter: RateLimiter, throttle: Throttle = ADA) -> bool:
    try:
        await limiter.use(throttle, at=NOW)
    except ThrottlesUnavailable as unavailable:
        refusal = unavailable
    else:
        return True
    assert "canary" not in f"{refusal!r} {refusal.__cause__!r} {refusal.__cause__}"
    return False


async def outcome(limiter: RateLimiter, throttles: list[Throttle], at: datetime) -> list[Allowance] | timedelta | None:
    try:
        return list(await limiter.use(*throttles, at=at))
    except Throttled as refusal:
        return refusal.retry_after


limits = st.builds(Limit, st.integers(1, 12), st.integers(60, 10**9).map(lambda seconds: timedelta(seconds=seconds)))
counters = st.builds(Throttle, owner=st.sampled_from(["ada", "2001:db8::/64"]), name=st.just("mail"), limit=limits)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=set(Phase) - {Phase.explain},  # explaining takes minutes
)
@given(
    start=st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    steps=st.lists(
        st.tuples(st.booleans(), st.lists(counters, min_size=1, max_size=3), st.integers(-(10**7), 10**9)), max_size=20
    ),
)
async def test_every_history_gets_the_same_answers_as_in_memory(
    limiter: RateLimiter, redis: RedisServer, start: datetime, steps: list[tuple[bool, list[Throttle], int]]
) -> None:
    redis.say("FLUSHALL")
    memory, at = MemoryRateLimiter(), start
    for is_use, throttles, gap in steps:
        at += timedelta(microseconds=gap)
        if is_use:
            assert await outcome(limiter, throttles, at) == await outcome(memory, throttles, at)
        else:
            await limiter.give_back(*throttles)
            await memory.give_back(*throttles)


async def test_lg_04_processes_count_together(redis_url: str) -> None:
    async with AsyncExitStack() as opened:
        limiters = [await opened.enter_async_context(open_redis_rate_limiter(redis_url)) for _ in range(4)]
        everybody = Throttle(owner="everybody", name="mail", limit=Limit(20, timedelta(hours=20)))
        outcomes = await asyncio.gather(*(outcome(limiters[n % 4], [everybody], NOW) for n in range(300)))
    assert sum(isinstance(found, list) for found in outcomes) == 20


async def test_a_counter_lives_until_it_is_full_and_is_not_made_by_giving_back(
    limiter: RateLimiter, redis: RedisServer
) -> None:
    await limiter.give_back(ADA)
    assert redis.say("DBSIZE") == 0
    await limiter.use(ADA, at=NOW)
    (key,) = redis.say("KEYS", "*")
    # The server's clock has nothing to do with it: by that one, NOW is long ago.
    assert 0 < redis.say("PTTL", key) <= 60_000
    await limiter.use(ADA, at=NOW)
    assert 60_000 < redis.say("PTTL", key) <= 120_000
    await limiter.give_back(ADA, ADA, ADA)
    assert 60_000 < redis.say("PTTL", key) <= 120_000
    assert await limiter.purge(at=NOW + timedelta(hours=1)) == 0


@pytest.mark.parametrize("place", ["redis://:canary@127.0.0.1:1/0", "unix://:canary@/nowhere/redis.sock"])
async def test_fault_43_without_a_server_nothing_passes_and_one_line_says_so(
    place: str, log: list[structlog.typing.EventDict], caplog: pytest.LogCaptureFixture
) -> None:
    async with open_redis_rate_limiter(place) as limiter:
        assert not await passes(limiter)
        with pytest.raises(ThrottlesUnavailable):
            await limiter.give_back(ADA)
    assert log == [{"event": "throttles.unavailable", "cause": "ConnectionError", "log_level": "warning"}] * 2
    assert "canary" not in caplog.text


async def test_a_server_that_comes_back_is_found_with_scripts_and_counters_gone(tmp_path: Path) -> None:
    async with AsyncExitStack() as opened:
        with RedisServer.running(tmp_path) as first:
            limiter = await opened.enter_async_context(open_redis_rate_limiter(first.url))
            assert [await passes(limiter) for _ in range(5)] == [True] * 5
        assert not await passes(limiter)
        with RedisServer.running(tmp_path):
            assert [await passes(limiter) for _ in range(5)] == [True] * 5


async def test_scripts_that_the_server_lost_are_sent_again(limiter: RateLimiter, redis: RedisServer) -> None:
    assert await passes(limiter)
    redis.say("SCRIPT", "FLUSH")
    await limiter.give_back(ADA)
    redis.say("SCRIPT", "FLUSH")
    assert await outcome(limiter, [ADA], NOW) == [FIVE.allowance(NOW + FIVE.interval, at=NOW)]


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A server that takes connections and never says a word."""
    gone = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gone.wait()
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        try:
            yield f"redis://:canary@127.0.0.1:{port}"
        finally:
            gone.set()


@pytest.mark.parametrize("shorter", ["_COMMAND_TIMEOUT", "_WHOLE_TIMEOUT"])
async def test_a_server_that_says_nothing_is_not_waited_for(shorter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_CONNECT_TIMEOUT", "_COMMAND_TIMEOUT", "_WHOLE_TIMEOUT"):
        assert getattr(rate_limiter, name) <= 2
        monkeypatch.setattr(rate_limiter, name, 0.05 if name == shorter else 60.0)
    async with silence() as url, open_redis_rate_limiter(url) as limiter:
        # More than there are connections: some wait for one of these.
        async with asyncio.timeout(10):
            assert not any(await asyncio.gather(*(passes(limiter) for _ in range(15))))


async def test_a_server_that_refuses_our_password_is_none(tmp_path: Path) -> None:
    with RedisServer.running(tmp_path, "--requirepass", "sesame") as server:
        for user, is_let_in in (("", False), (":canary@", False), (":sesame@", True)):
            async with open_redis_rate_limiter(f"unix://{user}{server.socket}") as limiter:
                assert await passes(limiter) is is_let_in


async def test_a_server_without_memory_forgets_nothing_and_lets_nobody_through(
    limiter: RateLimiter, redis: RedisServer, log: list[structlog.typing.EventDict]
) -> None:
    assert await passes(limiter)
    redis.say("CONFIG", "SET", "maxmemory", "1")
    try:
        assert not await passes(limiter)
    finally:
        redis.say("CONFIG", "SET", "maxmemory", "0")
    assert [line["cause"] for line in log] == ["OutOfMemoryError"]
    assert await outcome(limiter, [ADA], NOW) == [FIVE.allowance(NOW + 2 * FIVE.interval, at=NOW)]


async def test_what_is_no_counter_lets_nobody_through(limiter: RateLimiter, redis: RedisServer) -> None:
    await limiter.use(ADA, at=NOW)
    (key,) = redis.say("KEYS", "*")
    for command in (["SET", key, "much"], ["DEL", key], ["LPUSH", key, "1"]):
        redis.say(*command)
        assert await passes(limiter) is (command[0] == "DEL")
        redis.say("DEL", key)


async def test_when_the_primary_becomes_a_replica_the_new_one_is_found(tmp_path: Path) -> None:
    with RedisServer.running(tmp_path) as primary:
        async with open_redis_rate_limiter(primary.url) as limiter:
            assert await passes(limiter)
            primary.say("REPLICAOF", "127.0.0.1", "1")
            assert not await passes(limiter)
            # Connections to the old one stay; whoever connects anew comes to the new one.
            primary.socket.rename(tmp_path / "old.sock")
            assert not await passes(limiter)
            with RedisServer.running(tmp_path):
                assert await passes(limiter)


async def test_whoever_stops_waiting_at_any_moment_takes_no_connection_along(
    limiter: RateLimiter, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limiter, "_CONNECTIONS", 1)
    async with open_redis_rate_limiter(redis_url) as narrow:
        for steps in range(25):
            using = asyncio.create_task(narrow.use(ADA, at=NOW))
            for _ in range(steps):
                await asyncio.sleep(0)
            using.cancel()
            await asyncio.gather(using, return_exceptions=True)
        bob = Throttle(owner="bob", name="sign_in", limit=FIVE)
        assert await outcome(narrow, [bob], NOW) == [FIVE.allowance(NOW + FIVE.interval, at=NOW)]
        assert await outcome(limiter, [bob], NOW) == [FIVE.allowance(NOW + 2 * FIVE.interval, at=NOW)]


async def test_counters_are_in_redis_where_there_is_one() -> None:
    for url, kind in ((None, PostgresRateLimiter), (SecretStr("redis://127.0.0.1:1"), RedisRateLimiter)):
        settings = SETTINGS.model_copy(update={"redis_url": url, "secret_key": SecretStr("root key of the tests")})
        async with open_adapters(settings, NOBODYS_DATABASE) as adapters:
            assert isinstance(adapters.rate_limiter, kind)
