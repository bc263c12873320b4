"""A stretch of network between PostgreSQL and us that goes wrong as it is told to."""

import asyncio
import re
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from adapters.postgres.database import open_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.unit_of_work import UnitOfWork
from domain.users.user import User
from tests.world import new_user

PATIENCE = 0.2


class Way(Enum):
    THERE = auto()
    """From us to the database."""
    BACK = auto()


@dataclass(frozen=True)
class _Trap:
    way: Way
    pattern: re.Pattern[bytes]
    spring: Callable[[], object]


class FaultProxy:
    """What is told here goes for every connection through it, and for those that come."""

    def __init__(self, server: URL) -> None:
        self.accepted = 0
        self._server = server
        self._writers: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._traps: list[_Trap] = []
        self._flows = asyncio.Event()
        self._flows.set()
        self._refuses = False

    def stall(self) -> None:
        """Take everything and hand nothing on, as if there were a hole in the net."""
        self._flows.clear()

    def resume(self) -> None:
        """Hand on what was held back, and go on as if nothing had been."""
        self._flows.set()
        self._refuses = False

    def refuse(self) -> None:
        """End every connection, and those that come as well."""
        self._refuses = True
        self.cut()

    def cut(self) -> None:
        """End every connection with a reset."""
        for writer in self._writers:
            if not writer.is_closing():
                at_once = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                writer.transport.abort()

    def when(self, way: Way, pattern: bytes, spring: Callable[[], object]) -> None:
        """Do this once, before the bytes that fit are handed on; those before them are."""
        self._traps.append(_Trap(way, re.compile(pattern, re.DOTALL), spring))

    def forget(self) -> None:
        """Do nothing of what was said to be done once."""
        self._traps.clear()

    async def serve(self, client: StreamReader, to_client: StreamWriter) -> None:
        """One connection, until either side ends it."""
        self.accepted += 1
        self._keep(to_client)
        if self._refuses:
            self.cut()
            return
        host = str(self._server.query.get("host", ""))
        if host.startswith("/"):
            server, to_server = await asyncio.open_unix_connection(Path(host) / ".s.PGSQL.5432")
        else:
            server, to_server = await asyncio.open_connection(self._server.host, self._server.port or 5432)
        self._keep(to_server)
        pumps = [
            asyncio.create_task(self._pump(Way.THERE, client, to_server)),
            asyncio.create_task(self._pump(Way.BACK, server, to_client)),
        ]
        self._tasks.update(pumps)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            to_server.transport.abort()
            to_client.transport.abort()

    async def close(self) -> None:
        """End every connection, and leave nothing behind."""
        self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _keep(self, writer: StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)

    async def _pump(self, way: Way, source: StreamReader, target: StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(2**16):
                await self._hand_on(chunk, way, target)

    async def _hand_on(self, chunk: bytes, way: Way, target: StreamWriter) -> None:
        for trap in self._traps:
            if trap.way is way and (found := trap.pattern.search(chunk)):
                self._traps.remove(trap)
                target.write(chunk[: found.start()])
                await target.drain()
                trap.spring()
                await self._hand_on(chunk[found.start() :], way, target)
                return
        await self._flows.wait()
        if not target.is_closing():
            target.write(chunk)
            await target.drain()


@asynccontextmanager
async def fault_proxy(database: str) -> AsyncIterator[tuple[FaultProxy, str]]:
    """A proxy before this database, and the URL that leads through it."""
    server = make_url(database)
    proxy = FaultProxy(server)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    query = {name: value for name, value in server.query.items() if name != "host"}
    try:
        yield proxy, server.set(host="127.0.0.1", port=port, query=query).render_as_string(hide_password=False)
    finally:
        listening.close()
        await proxy.close()
        await listening.wait_closed()


class Line:
    """A way to the database through the proxy."""

    def __init__(self, proxy: FaultProxy, url: str, engine: AsyncEngine) -> None:
        self.proxy, self.url, self.engine = proxy, url, engine
        self.unit_of_work: UnitOfWork = PostgresUnitOfWork(engine, SystemRandomness(), acted_on=JOBS_OF_EVENTS)
        self.opened: list[Any] = []
        event.listen(
            engine.sync_engine, "connect", lambda connection, _: self.opened.append(connection.driver_connection)
        )

    @property
    def pool(self) -> QueuePool:
        assert isinstance(self.engine.pool, QueuePool)
        return self.engine.pool

    async def fill(self, count: int) -> None:
        """Have so many connections lie in the pool."""
        connections = [await self.engine.connect() for _ in range(count)]
        for connection in connections:
            await connection.close()

    @contextmanager
    def in_a_hurry(self) -> Iterator[None]:
        """Wait for nothing, for as long as the block; before and after it, slow machines have their time."""

        def connect_soon(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
            options |= {"timeout": PATIENCE, "command_timeout": PATIENCE}

        patience = self.pool._timeout  # noqa: SLF001  (there is no public way to any of this)
        event.listen(self.engine.sync_engine, "do_connect", connect_soon)
        self.pool._timeout = PATIENCE  # noqa: SLF001
        usual = {connection: connection._config for connection in self.opened}  # noqa: SLF001
        for connection, config in usual.items():
            connection._config = config._replace(command_timeout=PATIENCE)  # noqa: SLF001
        yield
        event.remove(self.engine.sync_engine, "do_connect", connect_soon)
        self.pool._timeout = patience  # noqa: SLF001
        for connection, config in usual.items():
            connection._config = config  # noqa: SLF001

    async def write(self, email: str = "ada@example.com") -> User:
        user = new_user(email)
        async with self.unit_of_work.begin() as tx:
            await tx.users.add(user)
        return user

    async def read(self, email: str = "ada@example.com") -> User | None:
        async with self.unit_of_work.read() as tx:
            return await tx.users.find_by_email(new_user(email).email)


@asynccontextmanager
async def line_to(database: str, pool_size: int = 3) -> AsyncIterator[Line]:
    async with fault_proxy(database) as (proxy, url), open_engine(url, pool_size=pool_size) as engine:
        yield Line(proxy, url, engine)
