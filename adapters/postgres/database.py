"""The engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import AdaptedConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolProxiedConnection

from adapters.postgres.counted_pool import CountedPool
from adapters.postgres.driver import OUT_OF_STEP, Connection
from adapters.postgres.errors import READ_ONLY

# Seconds. A database that does not answer must not hold requests for longer than callers wait (fault 4, 8, 10, 11).
_CONNECT_TIMEOUT = 2.0
_COMMAND_TIMEOUT = 5.0
_POOL_TIMEOUT = 2.0
# For certificates there are libpq's variables: PGSSLROOTCERT, PGSSLCERT, PGSSLKEY.
_LAST_PORT = 65_535
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_PARAMETERS = {"host", "port", "ssl", "sslmode"}
_SERVER_SETTINGS = {
    "statement_timeout": "4s",
    # Longer than PostgreSQL waits before it looks for a deadlock (`deadlock_timeout`, 1 s): else both sides of one
    # would be told that a lock took too long, and neither that starting anew helps (fault 12).
    "lock_timeout": "1500ms",
    "idle_in_transaction_session_timeout": "10s",
}


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    pool_size: int = 10,
    pool_timeout: float = _POOL_TIMEOUT,
    name: str = "hallporter",
    role: str | None = None,
) -> AsyncIterator[AsyncEngine]:
    """A pool of connections that commit each statement by itself. `name` is what PostgreSQL shows them as.

    They work as `role`, where there is one, from their very beginning (SK-06).

    Who finds every connection taken waits for `pool_timeout` seconds.

    Nothing is reset when a connection goes back, for nothing is left behind: single reads cost one round trip.
    Transactions set their own isolation level (see `PostgresUnitOfWork`).
    """
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
            "timeout": _CONNECT_TIMEOUT,
            "command_timeout": _COMMAND_TIMEOUT,
            "connection_class": Connection,
            "server_settings": _SERVER_SETTINGS | {"application_name": name} | ({"role": role} if role else {}),
        },
    )
    event.listen(engine.sync_engine, "checkout", _expect_open)
    event.listen(engine.sync_engine, "handle_error", _replace_all)
    try:
        yield engine
    finally:
        await engine.dispose()


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


def asyncpg_url(text: str) -> str:
    """The URL as the engine wants it: `postgresql://` and `postgres://` are fine, and so is libpq's `sslmode`.

    Raises: ValueError, whose message never repeats the URL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or not 0 < (url.port or 1) <= _LAST_PORT:
        message = "is not a URL such as postgresql://user:password@host:5432/database"
        raise ValueError(message)
    if url.drivername not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        message = "must begin with postgresql://"
        raise ValueError(message)
    if not url.database:
        message = "names no database: end it with /database"
        raise ValueError(message)
    if set(url.query) - _PARAMETERS:
        message = f"has parameters that are not supported; these are: {', '.join(sorted(_PARAMETERS))}"
        raise ValueError(message)
    if not set(_as_tuple(url.query.get("sslmode", ()))) <= _SSL_MODES:
        message = f"has an sslmode that does not exist; these do: {', '.join(sorted(_SSL_MODES))}"
        raise ValueError(message)
    query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query).render_as_string(hide_password=False)


def _as_tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
