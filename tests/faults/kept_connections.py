"""Callers who keep their connections, and ask without a pause."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Caller:
    """Asks one thing after the other over one connection, until an answer says that it was the last."""

    netloc: str
    request: bytes
    statuses: list[int] = field(default_factory=list)
    failed: str = ""

    async def call(self) -> None:
        host, _, port = self.netloc.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            while await self._ask(reader, writer):
                pass
            assert await reader.read() == b""
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.failed = repr(error)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether one may ask again."""
        writer.write(self.request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        await reader.readexactly(length)
        self.statuses.append(int(head.split()[1]))
        return "\r\nconnection: close\r\n" not in head


def request(netloc: str, method: str, path: str, body: object = None, token: str = "") -> bytes:
    content = json.dumps(body).encode() if body is not None else b""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {netloc}", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if body is not None else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode() + content
