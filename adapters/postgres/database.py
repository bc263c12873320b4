"""The engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from adapters.postgres.counted_pool import CountedPool
from adapters.postgres.driver import OUT_OF_STEP, Connection
from adapters.postgres.errors import READ_ONLY
from adapters.postgres.servers import Servers

# Seconds. A database that does not answer must not hold requests for longer than callers wait (fault 4, 8, 10, 11).
_CONNECT_TIMEOUT = 2.0
_COMMAND_TIMEOUT = 5.0
_POOL_TIMEOUT = 2.0
_SERVER_SETTINGS = {
    # In milliseconds.
    "statement_timeout": "4000",
    # Longer than PostgreSQL waits before it looks for a deadlock (`deadlock_timeout`, 1 s): else both sides of one
    # would be told that a lock took too long, and neither that starting anew helps (fault 12).
    "lock_timeout": "1500",
    "idle_in_transaction_session_timeout": "10000",
}
# For a pooler: nothing that was prepared is found by others, or lost. The driver's own cache, and SQLAlchemy's.
_WITHOUT_NAMES = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    pool_size: int = 10,
    pool_timeout: float = _POOL_TIMEOUT,
    name: str = "hallporter",
    role: str | None = None,
    pooler: bool = False,
) -> AsyncIterator[AsyncEngine]:
    """A pool of connections that commit each statement by itself. `name` is what PostgreSQL shows them as.

    They work as `role`, where there is one, from their very beginning (SK-06).

    Behind a `pooler` the server's own connections are set up by whoever runs it, and each transaction may be on another
    one: nothing is asked for that would belong to a connection (docs/decisions/pgbouncer.md).

    Who finds every connection taken waits for `pool_timeout` seconds.

    Nothing is reset when a connection goes back, for nothing is left behind: single reads cost one round trip.
    Transactions set their own isolation level (see `PostgresUnitOfWork`).
    """
    own = {"application_name": name} | ({} if pooler else wanted_settings(role))
    engine = create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        poolclass=CountedPool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        # Parameters are addresses and hashes: they stay out of error texts and logs.
        hide_parameters=True,
        connect_args={
            "async_creator_fn": Servers().connect,
            "timeout": _CONNECT_TIMEOUT,
            "command_timeout": _COMMAND_TIMEOUT,
            "connection_class": Connection,
            "server_settings": own,
            **(_WITHOUT_NAMES if pooler else {}),
        },
    )
    event.listen(engine.sync_engine, "checkout", _expect_open)
    event.listen(engine.sync_engine, "handle_error", _replace_all)
    try:
        yield engine
    finally:
        await engine.dispose()


def wanted_settings(role: str | None) -> dict[str, str]:
    """What the server is to keep to on each connection. Behind a pooler somebody else has to say so."""
    return ({"role": role} if role else {}) | _SERVER_SETTINGS


def pool_of(engine: AsyncEngine) -> CountedPool:
    """The pool of an engine of `open_engine`."""
    pool = engine.sync_engine.pool
    assert isinstance(pool, CountedPool)  # noqa: S101  (for the type checker)
    return pool


def _expect_open(connection: AdaptedConnection, *_: object) -> None:
    """Let the pool replace a connection that was lost while it lay there: nobody's request fails for it (fault 5).

    Asks nobody: the end of a connection is noticed when it comes.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _replace_all(context: ExceptionContext) -> None:
    """Let every connection of the pool be replaced where SQLAlchemy would replace one, or none.

    Behind one that does not answer lies a server that is gone without a word, and each of the others would cost a
    request its whole patience to find out (fault 4). One that is read-only of a sudden leads to a server that is the
    primary no more; connecting anew finds the one that is (fault 6).
    """
    if _is_of_all(context.original_exception):
        context.is_disconnect = context.invalidate_pool_on_disconnect = True


def forsake(engine: AsyncEngine, connection: PoolProxiedConnection, error: BaseException) -> None:
    """Let a connection be replaced on which the driver itself raised, where SQLAlchemy would if it had sent that."""
    if _is_of_all(error):
        # As SQLAlchemy does it; there is no public way.
        engine.sync_engine.pool._invalidate(connection, error)  # noqa: SLF001
    elif not isinstance(error, Exception) or isinstance(error, OUT_OF_STEP) or _is_closed(connection):
        # Whoever was cancelled has left an answer behind for the next one.
        connection.invalidate(error)


def _is_closed(connection: PoolProxiedConnection) -> bool:
    driver: Any = connection.driver_connection
    return bool(driver.is_closed())


def _is_of_all(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or getattr(error, "sqlstate", None) == READ_ONLY
