"""Running statements, and answering in the words of the core."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Executable, Select, UpdateBase, delete, select
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.errors import driver_error_in, sqlstate_of, stays, translated
from adapters.postgres.models.base import Base
from application.ports.unit_of_work import DatabaseUnavailable, ReadOnlyBlock, TransactionConflict, TransactionEnded
from domain.errors import ConcurrentUpdate, DomainError, InvalidFields

_log = structlog.get_logger("hallporter.postgres")

type Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]


class Statements:
    """The connection of one block, which ends with the first refusal."""

    def __init__(self, connection: AsyncConnection, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._ended = False

    async def rows(self, query: Executable, parameters: Parameters | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of a query."""
        return (await self._execute(query, parameters)).all()

    async def count(self, statement: UpdateBase) -> int:
        """Insert, update or delete; how many rows it was."""
        return (await self._execute(statement)).rowcount

    async def delete_some(self, model: type[Base], which: ColumnElement[bool], limit: int) -> int:
        """Delete at most `limit` rows of a table with an `id`; how many it was."""
        found = select(model.__table__.c.id).where(which).limit(limit)
        return await self.count(delete(model).where(model.__table__.c.id.in_(found)))

    async def row(self, query: Executable) -> Row[*tuple[Any, ...]] | None:
        """The row of a statement that finds or writes at most one."""
        return (await self._execute(query)).one_or_none()

    async def driver_rows(self, sql: str, arguments: tuple[object, ...]) -> list[dict[str, object]]:
        """The rows of a statement that another library wrote in the driver's own language. It writes."""
        result = await self._run(lambda: self._connection.exec_driver_sql(sql, arguments), writes=True)
        return [dict(row) for row in result.mappings()]

    async def copy(self, model: type[Base], columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        """Insert by COPY: many times faster than INSERT, and with all its constraints."""

        async def send() -> None:
            connection = await self._connection.get_raw_connection()
            driver = connection.driver_connection
            assert driver is not None  # noqa: S101  (for the type checker: it is open)
            if not driver.is_in_transaction():
                # SQLAlchemy begins with the first statement that it sends itself.
                await self._connection.exec_driver_sql("SELECT 1")
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

    async def write_one(self, statement: UpdateBase, *, otherwise: type[DomainError] = ConcurrentUpdate) -> None:
        """Update the one row that was loaded.

        Raises: `otherwise`, when it is no longer there in that version.
        """
        if (await self._execute(statement)).rowcount != 1:
            self._ended = True
            raise otherwise

    def expect_running(self) -> None:
        """Raise TransactionEnded if a refusal came before."""
        if self._ended:
            message = "a refused write was swallowed inside the block: let it leave the block"
            raise TransactionEnded(message)

    async def _execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        writes = isinstance(statement, UpdateBase) or _locks(statement)
        return await self._run(lambda: self._connection.execute(statement, parameters), writes=writes)

    async def _run[T](self, send: Callable[[], Awaitable[T]], *, writes: bool) -> T:
        self.expect_running()
        if writes and not self._writable:
            message = "a block of reads cannot write or lock: open it with begin()"
            raise ReadOnlyBlock(message)
        try:
            with in_our_words():
                return await send()
        except Exception:
            self._ended = True
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
