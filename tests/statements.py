"""What goes to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from asyncpg.connection import LoggedQuery  # type: ignore[import-untyped]  # it has no stubs
from sqlalchemy import event
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncEngine


@contextmanager
def statements_to(engine: AsyncEngine) -> Iterator[list[str]]:
    """In order: SQLAlchemy's statements, and what goes to the driver without it, which it tells in the next turn."""
    seen: list[str] = []
    drivers: set[Any] = set()

    def see(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    def see_driver(query: LoggedQuery) -> None:
        seen.append(query.query)

    def watch(connection: AdaptedConnection, *_: object) -> None:
        drivers.add(connection.driver_connection)
        connection.driver_connection.add_query_logger(see_driver)

    event.listen(engine.sync_engine, "before_cursor_execute", see)
    event.listen(engine.sync_engine, "checkout", watch)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", see)
        event.remove(engine.sync_engine, "checkout", watch)
        for driver in drivers:
            driver.remove_query_logger(see_driver)
