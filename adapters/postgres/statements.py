"""Running statements, and answering in the words of the core."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, Protocol

import structlog
from sqlalchemy import ARRAY, ColumnElement, Executable, Select, UpdateBase, and_, any_, delete, func, select, update
from sqlalchemy.engine import Connection, CursorResult, Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from adapters.postgres.database import forsake
from adapters.postgres.errors import driver_error_in, sqlstate_of, stays, translated
from adapters.postgres.models.base import Base
from adapters.postgres.prepared import Prepared
from application.ports.unit_of_work import DatabaseUnavailable, ReadOnlyBlock, TransactionConflict, TransactionEnded
from domain.errors import ConcurrentUpdate, DomainError, InvalidFields

_log = structlog.get_logger("hallporter.postgres")


class Versioned(Protocol):
    """An aggregate with a row of its own."""

    id: Any
    version: int


type Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]


class Statements:
    """What one block sends over its connection, which ends with the first refusal."""

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection, *, writable: bool) -> None:
        self._engine = engine
        self._pooled = pooled
        self._writable = writable
        self._ended = False
        self._is_over = False
        self._is_transaction = False
        self._has_written = False

    @cached_property
    def _connection(self) -> AsyncConnection:
        """SQLAlchemy's hand on it. Those who prepared their statement need none."""
        return AsyncConnection(self._engine, Connection(self._engine.sync_engine, self._pooled))

    async def begin(self) -> None:
        """Let what follows count together, or not at all."""
        self._is_transaction = True
        await self._connection.begin()

    async def commit(self) -> None:
        """Let it count.

        Raises: TransactionEnded if a refusal came before.
        """
        self.expect_running()
        with in_our_words():
            await self._connection.commit()

    async def close(self) -> None:
        """Give the connection back. What is still open is rolled back."""
        self._is_over = True
        if "_connection" not in self.__dict__:
            self._pooled.close()
            return
        try:
            await self._connection.close()
        except Exception:  # noqa: BLE001  (the driver's own errors come unwrapped here)
            # Lost on the way: the database rolls back by itself, and what the block raised matters more.
            await self._connection.invalidate()

    async def prepared_row(self, prepared: Prepared, /, **values: object) -> Any | None:  # noqa: ANN401  (has its columns)
        """The row of a statement that finds or writes at most one, by the shortest way that there is."""
        record = await self._run(lambda: self._fetched(prepared, values), writes=prepared.writes)
        return prepared.row(record) if record is not None else None

    async def prepared_rows(self, prepared: Prepared, /, **values: object) -> Sequence[Any]:
        """All rows of a statement, by the same way."""
        records = await self._run(lambda: self._fetched(prepared, values, every=True), writes=prepared.writes)
        return list(map(prepared.row, records))

    async def rows(self, query: Executable, parameters: Parameters | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of a query."""
        return (await self._execute(query, parameters)).all()

    async def count(self, statement: UpdateBase) -> int:
        """Insert, update or delete; how many rows it was."""
        return (await self._execute(statement)).rowcount

    async def delete_some(
        self, model: type[Base], which: ColumnElement[bool], limit: int, *, by: ColumnElement[Any]
    ) -> int:
        """Delete at most `limit` rows of a table with a key of one column, the first `by` an index; how many it was."""
        (key,) = model.__table__.primary_key
        return await self.count(delete(model).where(is_one_of(key, select(key).where(which), limit, by=by)))

    async def row(self, query: Executable) -> Row[*tuple[Any, ...]] | None:
        """The row of a statement that finds or writes at most one."""
        return (await self._execute(query)).one_or_none()

    async def find[T](self, query: Executable, read: Callable[[Row[*tuple[Any, ...]]], T]) -> T | None:
        """What `read` makes of that row; None where there is none."""
        row = await self.row(query)
        return read(row) if row is not None else None

    async def copy(self, model: type[Base], columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        """Insert by COPY: many times faster than INSERT, and with all its constraints."""

        async def send() -> None:
            driver = await self._driver()
            await driver.copy_records_to_table(model.__tablename__, columns=columns, records=rows)

        await self._run(send, writes=True)

    async def plan_anew(self) -> None:
        """Have PostgreSQL plan each statement of this transaction for the values that it has.

        A plan that it keeps is made for a table as large as then: of one that is empty, every row is looked at.
        """
        await self._run(
            lambda: self._connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan"), writes=True
        )

    async def write(self, statement: UpdateBase, parameters: Parameters | None = None) -> None:
        """Insert, update or delete."""
        await self._execute(statement, parameters)

    async def lock(self, statement: Executable) -> None:
        """Take a lock that no row stands for, until the end of the block."""
        await self._run(lambda: self._connection.execute(statement), writes=True)

    async def write_prepared(self, prepared: Prepared, /, **values: object) -> None:
        """As `write_one`, of a statement that returns what it wrote.

        Raises: ConcurrentUpdate.
        """
        if await self.prepared_row(prepared, **values) is None:
            self._ended = True
            raise ConcurrentUpdate

    async def write_one(self, statement: UpdateBase, *, otherwise: type[DomainError] = ConcurrentUpdate) -> None:
        """Update the one row that was loaded.

        Raises: `otherwise`, when it is no longer there in that version.
        """
        if (await self._execute(statement)).rowcount != 1:
            self._ended = True
            raise otherwise

    async def save(self, model: type[Base], aggregate: Versioned, row: Mapping[str, object]) -> None:
        """Write these columns over the version of an aggregate that was loaded.

        Raises: ConcurrentUpdate.
        """
        own = model.__table__.c
        as_loaded = and_(own.id == aggregate.id, own.version == aggregate.version)
        await self.write_one(update(model).where(as_loaded).values({**row, "version": aggregate.version + 1}))
        aggregate.version += 1

    def expect_running(self) -> None:
        """Raise TransactionEnded if a refusal came before."""
        if self._ended:
            message = "a refused write was swallowed inside the block: let it leave the block"
            raise TransactionEnded(message)

    async def _execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        writes = isinstance(statement, UpdateBase) or _locks(statement)
        return await self._run(lambda: self._connection.execute(statement, parameters), writes=writes)

    async def _driver(self) -> Any:  # noqa: ANN401  (it is untyped)
        driver: Any = self._pooled.driver_connection
        if self._is_transaction and not driver.is_in_transaction():
            # SQLAlchemy begins with the first statement that it sends itself; there is no public way to be before it.
            adapted: Any = self._pooled.dbapi_connection
            try:
                await adapted._start_transaction()  # noqa: SLF001
            except BaseException as error:
                forsake(self._engine, self._pooled, driver_error_in(error) or error)
                raise
        return driver

    async def _fetched(self, prepared: Prepared, values: Mapping[str, object], *, every: bool = False) -> Any:  # noqa: ANN401  (untyped)
        await self._driver()
        return await fetched(self._engine, self._pooled, prepared, values, every=every)

    async def _run[T](self, send: Callable[[], Awaitable[T]], *, writes: bool) -> T:
        if self._is_over:
            message = "the block is over"
            raise TransactionEnded(message)
        self.expect_running()
        if writes and not self._writable:
            message = "a block of reads cannot write or lock: open it with begin()"
            raise ReadOnlyBlock(message)
        if writes and self._has_written and not self._is_transaction:
            self._ended = True
            message = "a block of one write cannot write again: open it with begin()"
            raise TransactionEnded(message)
        self._has_written = self._has_written or writes
        try:
            with in_our_words():
                return await send()
        except Exception:
            self._ended = True
            raise


def is_one_of(
    key: ColumnElement[Any], found: Select[*tuple[Any, ...]], limit: int, *, by: ColumnElement[Any] | None = None
) -> ColumnElement[bool]:
    """Whether a key is one of the first that a query finds; their rows are locked, but for those that others have.

    They are found by an index and then by their keys, whatever PostgreSQL believes of how many there are: where it is
    told of a set, it may well look at each row of a table to see whether it is in there.
    """
    first = found.order_by(by).limit(limit).with_for_update(skip_locked=True)
    return key == any_(func.array(first.scalar_subquery(), type_=ARRAY(key.type)))


async def fetched(
    engine: AsyncEngine,
    pooled: PoolProxiedConnection,
    prepared: Prepared,
    values: Mapping[str, object],
    *,
    every: bool = False,
) -> Any:  # noqa: ANN401  (the driver is untyped)
    """What the driver finds, by the shortest way that there is: the first row, if there is one, or every row."""
    driver: Any = pooled.driver_connection
    try:
        fetch = driver.fetch if every else driver.fetchrow
        return await fetch(prepared.sql, *prepared.arguments(values))
    except BaseException as error:
        forsake(engine, pooled, error)
        raise


def _locks(statement: Executable) -> bool:
    return isinstance(statement, Select) and statement._for_update_arg is not None  # noqa: SLF001  (no public way)


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn what the database and its driver raise into the core's refusals. Bugs pass as they are."""
    try:
        yield
    except Exception as error:
        ours = translated(error)
        if ours is None:
            raise
        _tell_operators(error, ours)
        raise ours from error


@asynccontextmanager
async def connection_of(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for the block, which is answered in our words."""
    with in_our_words():
        async with engine.connect() as connection:
            yield connection


def _tell_operators(error: Exception, ours: Exception) -> None:
    """Log what the caller is told nothing of. Without the error's text, in which values may stand."""
    statement = getattr(error, "statement", None)
    told = {
        "cause": type(driver_error_in(error) or error).__name__,
        "sqlstate": sqlstate_of(error),
        "statement": " ".join(statement.split()) if statement is not None else None,
    }
    match ours:
        case TransactionConflict():
            _log.info("database.conflict", **told)
        case DatabaseUnavailable():
            (_log.error if stays(error) else _log.warning)("database.unavailable", **told)
        case InvalidFields():
            _log.error("database.unstorable_value", **told)
