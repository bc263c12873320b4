"""Counters in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import CTE, ColumnElement, Select, and_, delete, exists, func, literal, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from adapters.postgres.models import ThrottleModel
from application.ports.rate_limiter import RateLimiter, ThrottlesUnavailable
from domain.throttling.throttle import Allowance, Throttle, Throttled

_log = structlog.get_logger("hallporter.postgres")
_THROTTLES = ThrottleModel.__table__
_FULL_AT = _THROTTLES.c.full_at
_AT_ONCE = 5_000


class PostgresRateLimiter:
    """`RateLimiter` on an engine of `open_engine`. A use is one statement, which commits by itself.

    Whatever goes wrong, the answer is ThrottlesUnavailable: without its counters a door stays shut (fault 43).
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def use(self, *throttles: Throttle, at: datetime) -> Sequence[Allowance]:
        async with self._connection() as connection:
            moved_and_before = (await connection.execute(_use(throttles, at))).one()
        allowances = []
        for number, throttle in enumerate(throttles):
            moved, before = moved_and_before[2 * number : 2 * number + 2]
            if moved is None:
                # Another may have been faster than what this statement saw of the row: then one interval is right.
                wait = throttle.limit.retry_after(before, at=at) if before is not None else throttle.limit.interval
                raise Throttled(throttle, retry_after=wait or throttle.limit.interval)
            allowances.append(throttle.limit.allowance(moved, at=at))
        return allowances

    async def give_back(self, *throttles: Throttle) -> None:
        async with self._connection() as connection:
            # One by one: several in one statement could wait for each other.
            for throttle in throttles:
                back = _THROTTLES.c.full_at - throttle.limit.interval
                await connection.execute(update(ThrottleModel).where(_is(throttle)).values(full_at=back))

    async def forget(self, *owners: str) -> None:
        async with self._connection() as connection:
            await connection.execute(delete(ThrottleModel).where(_THROTTLES.c.owner.in_(owners)))

    async def purge(self, *, at: datetime) -> int:
        # Key by key, some at a time, for there is no index to find those that are full by.
        key, forgotten = tuple_(_THROTTLES.c.owner, _THROTTLES.c.name), 0
        behind: ColumnElement[bool] = true()
        async with self._connection() as connection:
            while True:
                ends = select(_THROTTLES.c.owner, _THROTTLES.c.name).where(behind).order_by(*key.clauses)
                end = (await connection.execute(ends.offset(_AT_ONCE - 1).limit(1))).one_or_none()
                some = behind if end is None else behind & (key <= tuple_(*end))
                forgotten += (await connection.execute(delete(ThrottleModel).where(some, at >= _FULL_AT))).rowcount
                if end is None:
                    return forgotten
                behind = key > tuple_(*end)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            _log.warning("throttles.unavailable", cause=type(error).__name__)
            raise ThrottlesUnavailable from error


def _use(throttles: Sequence[Throttle], at: datetime) -> Select[*tuple[Any, ...]]:
    """One row: for each throttle where it was moved to, if it was, and where the statement found it."""
    columns: list[ColumnElement[Any]] = []
    earlier: CTE | None = None
    for number, throttle in enumerate(throttles):
        # Each waits for the one before, so that locks are taken in one order, and a refusal uses up nothing further.
        earlier = _use_one(throttle, at, earlier).cte(f"used_{number}")
        found = select(_THROTTLES.c.full_at).where(_is(throttle)).scalar_subquery()
        columns += [
            select(earlier.c.full_at).scalar_subquery().label(f"moved_{number}"),
            found.label(f"before_{number}"),
        ]
    return select(*columns)


def _use_one(throttle: Throttle, at: datetime, earlier: CTE | None) -> ReturningInsert[tuple[datetime]]:
    """`Limit.used_once` in SQL."""
    limit = throttle.limit
    first = select(literal(throttle.owner), literal(throttle.name), literal(at + limit.interval))
    if earlier is not None:
        first = first.where(exists(select(earlier.c.full_at)))
    moved = func.greatest(_THROTTLES.c.full_at, at) + limit.interval
    statement = insert(ThrottleModel).from_select(["owner", "name", "full_at"], first)
    return statement.on_conflict_do_update(
        index_elements=[_THROTTLES.c.owner, _THROTTLES.c.name],
        set_={"full_at": moved},
        where=moved <= literal(at + limit.interval * limit.count, _THROTTLES.c.full_at.type),
    ).returning(_THROTTLES.c.full_at)


def _is(throttle: Throttle) -> ColumnElement[bool]:
    return and_(_THROTTLES.c.owner == throttle.owner, _THROTTLES.c.name == throttle.name)


def _is_rate_limiter(postgres: PostgresRateLimiter) -> RateLimiter:
    return postgres
