"""Processes of the service that are not ours, and a look at their database from outside."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from entrypoints.throttle_settings import ThrottleSettings
from tests.faults.callers import GRACE_SECONDS

_PLENTY = "1000000/minute"
SETTINGS = {
    "SECRET_KEY": "T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa",
    "PUBLIC_URL": "http://127.0.0.1",
    "LOG_LEVEL": "ERROR",
    "ACCESS_TOKEN_LIFETIME_SECONDS": "3600",
    "REFRESH_GRACE_SECONDS": str(GRACE_SECONDS),
    "JOB_LEASE_SECONDS": "10",
    # A sign-in that is killed counts as a guess: nobody is there any more to say that it was right.
    **dict.fromkeys((name.upper() for name in ThrottleSettings.model_fields if name.startswith("limit_")), _PLENTY),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def is_ready(port: int) -> bool:
    """Whether the process there answers and has a database."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return b" 200 " in await reader.readline()
    except OSError:
        return False
    finally:
        writer.transport.abort()


@asynccontextmanager
async def looking_at(url: str) -> AsyncIterator[AsyncEngine]:
    """Connections that each see one state of the database."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    yield engine
    await engine.dispose()
