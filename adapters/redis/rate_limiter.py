"""Counters in Redis or Valkey."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError

from application.ports.rate_limiter import RateLimiter, ThrottlesUnavailable
from domain.throttling.throttle import Allowance, Throttle, Throttled

_log = structlog.get_logger("hallporter.redis")

# Seconds. A server that does not answer must not hold requests for longer than callers wait (fault 43).
_CONNECT_TIMEOUT = 1.0
_COMMAND_TIMEOUT = 1.0
_WHOLE_TIMEOUT = 2.0
# Of one process. The server runs one script at a time: with more of them the others would wait there instead of here.
_CONNECTIONS = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# `Limit.used_once` for each key in turn, up to the first that has nothing left: where they were moved to, and then
# where that one was found. A key's life is a span and no moment, for the server's clock need not be ours. Numbers are
# exact below 2^53, in microseconds the year 2255; how they are written is said, for Lua itself would write 1.77e+15.
_USE = """
local at = tonumber(ARGV[1])
local moved = {}
for number, key in ipairs(KEYS) do
  local interval, whole = tonumber(ARGV[2 * number]), tonumber(ARGV[2 * number + 1])
  local before = tonumber(redis.call('GET', key) or at)
  local after = math.max(before, at) + interval
  if after - at > whole then
    return {moved, string.format('%.0f', before)}
  end
  moved[number] = string.format('%.0f', after)
  redis.call('SET', key, moved[number], 'PX', string.format('%.0f', math.ceil((after - at) / 1000)))
end
return {moved}
"""
# No key's life is made shorter: until then it is full, which is as good as gone.
_GIVE_BACK = """
for number, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then
    redis.call('DECRBY', key, ARGV[number])
  end
end
"""


@asynccontextmanager
async def open_redis_rate_limiter(url: str) -> AsyncIterator["RedisRateLimiter"]:
    """Counters in the server at this URL. Nothing is connected before the first use."""
    client = Redis.from_url(
        url,
        max_connections=_CONNECTIONS,
        socket_connect_timeout=_CONNECT_TIMEOUT,
        socket_timeout=_COMMAND_TIMEOUT,
        # Nothing is done twice: what was given back unseen would be given back again.
        retry=Retry(NoBackoff(), 0),
        # Each of these would be a round trip before the first command of a connection.
        protocol=2,
        driver_info=None,
    )
    try:
        yield RedisRateLimiter(client)
    finally:
        # Where nobody answers there is nobody to take leave of.
        with suppress(RedisError, OSError):
            await client.aclose()


class RedisRateLimiter:
    """`RateLimiter` in one script, which nothing else comes between.

    Whatever goes wrong, the answer is ThrottlesUnavailable: without its counters a door stays shut (fault 43). That is
    so on a Redis Cluster as well, which runs no script on keys of several slots.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._use = client.register_script(_USE)
        self._give_back = client.register_script(_GIVE_BACK)
        # The library's pool refuses whoever comes when all connections are taken.
        self._free = asyncio.Semaphore(client.connection_pool.max_connections)

    async def use(self, *throttles: Throttle, at: datetime) -> Sequence[Allowance]:
        arguments = [_microseconds(at - _EPOCH)]
        for throttle in throttles:
            interval = throttle.limit.interval
            arguments += [_microseconds(interval), _microseconds(interval * throttle.limit.count)]
        async with self._connection():
            moved, *refused = await self._use([_key(throttle) for throttle in throttles], arguments)
        allowances = [
            throttle.limit.allowance(_moment(full_at), at=at)
            for throttle, full_at in zip(throttles, moved, strict=False)
        ]
        if refused:
            throttle = throttles[len(moved)]
            wait = throttle.limit.retry_after(_moment(refused[0]), at=at)
            raise Throttled(throttle, retry_after=wait, before=allowances)
        return allowances

    async def give_back(self, *throttles: Throttle) -> None:
        intervals = [_microseconds(throttle.limit.interval) for throttle in throttles]
        async with self._connection():
            await self._give_back([_key(throttle) for throttle in throttles], intervals)

    async def forget(self, *owners: str) -> None:
        async with self._connection():
            for owner in owners:
                # By looking at every key there is: operators do this by hand, now and then.
                async for key in self._client.scan_iter(match=_pattern(owner), count=1000):
                    await self._client.delete(key)

    async def purge(self, *, at: datetime) -> int:  # noqa: ARG002  (Redis forgets by itself, and at once)
        return 0

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_WHOLE_TIMEOUT), self._free:
                yield
        except (RedisError, OSError) as error:
            _log.warning("throttles.unavailable", cause=type(error).__name__)
            if isinstance(error, ReadOnlyError):
                # It was the primary once. Whoever is it now is found by connecting anew.
                with suppress(RedisError, OSError):
                    await self._client.connection_pool.disconnect(inuse_connections=False)
            raise ThrottlesUnavailable from error


def _key(throttle: Throttle) -> str:
    # One for each counter, for keys are what expires. With its length before it no owner can look like another one with
    # the beginning of a name behind it.
    return f"hallporter:throttle:{len(throttle.owner)}:{throttle.owner}:{throttle.name}"


def _pattern(owner: str) -> str:
    """What fits the keys of one owner, of whom no character is special."""
    literal = "".join(char if char.isalnum() else f"\\{char}" for char in owner)
    return f"hallporter:throttle:{len(owner)}:{literal}:*"


def _microseconds(time: timedelta) -> int:
    return time // _MICROSECOND


def _moment(microseconds: bytes) -> datetime:
    return _EPOCH + int(microseconds) * _MICROSECOND


def _is_rate_limiter(redis: RedisRateLimiter) -> RateLimiter:
    return redis
