"""Sends requests and judges the answers: `python -m benchmarks.load`, a process of its own.

So what it takes is not counted as the server's. It reads a `Load` as JSON and writes an `Outcome`; the first wrong
answer ends it, with what was wrong.
"""

import asyncio
import json
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from contextlib import suppress
from itertools import count

import uvloop
from pydantic import TypeAdapter

from benchmarks.conversation import Client, Load, Outcome, WrongAnswer, fault_of

_HOST = "127.0.0.1"
_PATIENCE = 30.0


class _Loading:
    """A load that is under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._until = time.perf_counter() + load.seconds
        self.microseconds: dict[int, list[int]] = defaultdict(list)

    async def converse(self, client: Client) -> None:
        """Send one client's requests until the time is over.

        Raises: WrongAnswer, OSError, EOFError, TimeoutError.
        """
        reader, writer = await asyncio.open_connection(_HOST, self._load.port)
        try:
            await self._converse(client, reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, client: Client, reader: StreamReader, writer: StreamWriter) -> None:
        ready = [request.encoded(_HOST, 0, "") for request in client.requests]
        carried = client.carried
        for number in count():
            if time.perf_counter() >= self._until:
                break
            place = number % len(ready)
            request = client.requests[place]
            sent = ready[place] if request.is_always_the_same else request.encoded(_HOST, number, carried)
            began = time.perf_counter_ns()
            writer.write(sent)
            status, headers, body = await asyncio.wait_for(_answer(reader), _PATIENCE)
            self.microseconds[status].append((time.perf_counter_ns() - began) // 1000)
            if fault := fault_of(self._load.right, status, headers, body):
                message = f"{request.method} {request.path.partition('?')[0]}: the answer {fault}"
                raise WrongAnswer(message)
            if client.carries is not None:
                carried = str(json.loads(body)[client.carries])
            await self._wait(float(headers.get("retry-after", self._load.pause)))

    async def _wait(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(max(0.0, min(seconds, self._until - time.perf_counter())))


async def _answer(reader: StreamReader) -> tuple[int, dict[str, str], str]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *lines = head[:-4].split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status_line.split(" ", 2)[1]), headers, body.decode()


async def carry_out(load: Load) -> Outcome:
    """Send it all.

    Raises: WrongAnswer.
    """
    await asyncio.sleep(max(0.0, load.starts_at - time.time()))
    began = time.perf_counter()
    loading = _Loading(load)
    try:
        async with asyncio.TaskGroup() as clients:
            for client in load.clients:
                clients.create_task(loading.converse(client))
    except* WrongAnswer as wrong:
        raise wrong.exceptions[0] from None
    except* (OSError, EOFError, TimeoutError) as gone:
        message = f"there was no answer: {gone.exceptions[0]!r}"
        raise WrongAnswer(message) from gone
    return Outcome(seconds=time.perf_counter() - began, microseconds=dict(loading.microseconds))


def main() -> None:
    """Carry the load out that standard input tells."""
    load = TypeAdapter(Load).validate_json(sys.stdin.buffer.read())
    try:
        outcome = uvloop.run(carry_out(load))
    except WrongAnswer as wrong:
        sys.exit(str(wrong))
    sys.stdout.buffer.write(TypeAdapter(Outcome).dump_json(outcome))


if __name__ == "__main__":
    main()
