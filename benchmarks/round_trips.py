"""What passes between a program and PostgreSQL, read off the wire: nothing that asks the server escapes it."""

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import make_url

_SOCKET = ".s.PGSQL.5432"
# Types of messages (PostgreSQL manual, 54.7). After these the client waits for an answer.
_QUERY, _SYNC, _FLUSH = b"Q", b"S", b"H"
_PARSE, _BIND = b"P", b"B"
_CHUNK = 2**16


class RoundTrips:
    """Each time somebody waited for PostgreSQL, and for what: the statement, as it was sent."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        """Oldest first; whoever wants to count anew clears it."""


class _Client:
    """The messages of one connection, put together from whatever pieces they come in."""

    def __init__(self, trips: RoundTrips) -> None:
        self._trips = trips
        self._rest = b""
        self._has_begun = False
        self._prepared: dict[bytes, str] = {}
        self._latest = ""

    def read(self, chunk: bytes) -> None:
        self._rest += chunk
        while True:
            # The first message alone has no type.
            start = 1 if self._has_begun else 0
            if len(self._rest) < start + 4:
                return
            end = start + int.from_bytes(self._rest[start : start + 4])
            if len(self._rest) < end:
                return
            kind, body, self._rest = self._rest[:start], self._rest[start + 4 : end], self._rest[end:]
            self._has_begun = True
            self._note(kind, body)

    def _note(self, kind: bytes, body: bytes) -> None:
        if kind == _QUERY:
            self._trips.seen.append(body.rstrip(b"\0").decode())
        elif kind == _PARSE:
            name, _, rest = body.partition(b"\0")
            self._latest = self._prepared[name] = rest.partition(b"\0")[0].decode()
        elif kind == _BIND:
            name = body.partition(b"\0")[2].partition(b"\0")[0]
            self._latest = self._prepared.get(name, "")
        elif kind in {_SYNC, _FLUSH}:
            self._trips.seen.append(self._latest)


@asynccontextmanager
async def counted(database: str) -> AsyncIterator[tuple[RoundTrips, str]]:
    """What goes to this database by the URL that comes along with it."""
    server = make_url(database)
    trips = RoundTrips()
    open_connections: set[asyncio.Task[None]] = set()

    async def serve(client: StreamReader, to_client: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            open_connections.add(task)
            task.add_done_callback(open_connections.discard)
        messages = _Client(trips)
        host = str(server.query.get("host", ""))
        if host.startswith("/"):
            answers, to_server = await asyncio.open_unix_connection(Path(host) / _SOCKET)
        else:
            answers, to_server = await asyncio.open_connection(server.host, server.port or 5432)
        pumps = [
            asyncio.create_task(_pump(client, to_server, messages)),
            asyncio.create_task(_pump(answers, to_client, None)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for writer in (to_client, to_server):
                writer.transport.abort()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    with tempfile.TemporaryDirectory() as folder:
        # By a socket in a folder: there clients do not ask for TLS first.
        listening = await asyncio.start_unix_server(serve, Path(folder) / _SOCKET)
        try:
            through = server.set(host=None, port=None).update_query_dict({"host": folder})
            yield trips, through.render_as_string(hide_password=False)
        finally:
            listening.close()
            for task in tuple(open_connections):
                task.cancel()
            await asyncio.gather(*open_connections, return_exceptions=True)
            await listening.wait_closed()


async def _pump(source: StreamReader, target: StreamWriter, messages: _Client | None) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            if messages is not None:
                messages.read(chunk)
            target.write(chunk)
            await target.drain()
