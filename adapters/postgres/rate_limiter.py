"""Counters in PostgreSQL."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import structlog
from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Interval,
    ScalarSelect,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from adapters.postgres.errors import DRIVER_ERRORS
from adapters.postgres.models import ThrottleModel
from adapters.postgres.prepared import Prepared
from adapters.postgres.statements import fetched
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
        row = await self._row(_use(len(throttles)), at=at, **_named(throttles, at))
        allowances: list[Allowance] = []
        for number, throttle in enumerate(throttles):
            moved, before = row[2 * number : 2 * number + 2]
            if moved is None:
                # Another may have been faster than what this statement saw of the row: then one interval is right.
                wait = throttle.limit.retry_after(before, at=at) if before is not None else throttle.limit.interval
                raise Throttled(throttle, retry_after=wait or throttle.limit.interval, before=allowances)
            allowances.append(throttle.limit.allowance(moved, at=at))
        return allowances

    async def give_back(self, *throttles: Throttle) -> None:
        if throttles:
            await self._row(_give_back(len(throttles)), **_named(throttles))

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

    async def _row(self, prepared: Prepared, **values: object) -> Any:  # noqa: ANN401  (has its columns)
        with _as_unavailable():
            pooled = await self._engine.raw_connection()
            try:
                return await fetched(self._engine, pooled, prepared, values)
            finally:
                pooled.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with _as_unavailable():
            async with self._engine.connect() as connection:
                yield connection


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError, *DRIVER_ERRORS) as error:
        _log.warning("throttles.unavailable", cause=type(error).__name__)
        raise ThrottlesUnavailable from error


def _named(throttles: Sequence[Throttle], at: datetime | None = None) -> Mapping[str, object]:
    """What the statements on so many throttles leave open."""
    values: dict[str, object] = {}
    for number, throttle in enumerate(throttles):
        interval = throttle.limit.interval
        values |= {f"owner_{number}": throttle.owner, f"name_{number}": throttle.name, f"interval_{number}": interval}
        if at is not None:
            values |= {f"once_{number}": at + interval, f"whole_{number}": at + interval * throttle.limit.count}
    return values


@cache
def _use(count: int) -> Prepared:
    """One row: for each throttle where it was moved to, if it was, and where the statement found it."""
    columns: list[ColumnElement[Any]] = []
    earlier: CTE | None = None
    for number in range(count):
        # Each waits for the one before, so that locks are taken in one order, and a refusal uses up nothing further.
        earlier = _use_one(number, earlier).cte(f"used_{number}")
        found = select(_THROTTLES.c.full_at).where(_is(number)).scalar_subquery()
        columns += [
            select(earlier.c.full_at).scalar_subquery().label(f"moved_{number}"),
            found.label(f"before_{number}"),
        ]
    return Prepared(select(*columns), writes=True)


def _use_one(number: int, earlier: CTE | None) -> ReturningInsert[tuple[datetime]]:
    """`Limit.used_once` in SQL."""
    first = select(_open("owner", number), _open("name", number), _moment(f"once_{number}"))
    if earlier is not None:
        first = first.where(exists(select(earlier.c.full_at)))
    moved = func.greatest(_THROTTLES.c.full_at, _moment("at")) + _interval(number)
    statement = insert(ThrottleModel).from_select(["owner", "name", "full_at"], first)
    return statement.on_conflict_do_update(
        index_elements=[_THROTTLES.c.owner, _THROTTLES.c.name],
        set_={"full_at": moved},
        where=moved <= _moment(f"whole_{number}"),
    ).returning(_THROTTLES.c.full_at)


@cache
def _give_back(count: int) -> Prepared:
    """One row: for each throttle whether it was there."""
    given: list[CTE] = []
    for number in range(count):
        back = update(ThrottleModel).where(_is(number)).values(full_at=_THROTTLES.c.full_at - _interval(number))
        if given:
            # Counted for the sake of the order alone, which is that of `_use`: else they could wait for each other.
            back = back.where(_count_of(given[-1]) >= 0)
        given.append(back.returning(_THROTTLES.c.full_at).cte(f"given_{number}"))
    return Prepared(select(*(_count_of(one).label(one.name) for one in given)), writes=True)


def _count_of(given: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(given).scalar_subquery()


def _is(number: int) -> ColumnElement[bool]:
    return and_(_THROTTLES.c.owner == _open("owner", number), _THROTTLES.c.name == _open("name", number))


def _open(name: str, number: int) -> BindParameter[str]:
    return bindparam(f"{name}_{number}", type_=_THROTTLES.c[name].type)


def _interval(number: int) -> BindParameter[timedelta]:
    return bindparam(f"interval_{number}", type_=Interval())


def _moment(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=_THROTTLES.c.full_at.type)


def _is_rate_limiter(postgres: PostgresRateLimiter) -> RateLimiter:
    return postgres
