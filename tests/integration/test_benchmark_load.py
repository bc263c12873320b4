"""The generator of loads, on real sockets."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from benchmarks.conversation import CARRIED, Answer, Client, Load, Request, WrongAnswer
from benchmarks.load import carry_out

SECONDS = 0.1
ASK = Request(method="POST", path="/next?a=b", body=CARRIED)


@asynccontextmanager
async def answering(answers: Iterator[bytes], asked: list[str]) -> AsyncIterator[int]:
    """A server that answers one after the other, and ends the connection when it has no more to say."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        for answer in answers:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
            asked.append((await reader.readexactly(length)).decode())
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def answer(body: str, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


def load(port: int, *right: Answer) -> Load:
    return Load(
        port=port, clients=(Client(requests=(ASK,), carries="next", carried="0"),), right=right, seconds=SECONDS
    )


async def test_each_request_carries_what_the_last_answer_told() -> None:
    asked = list[str]()
    answers = (answer(f'{{"next":"{number}"}}') for number in count(1))
    async with answering(answers, asked) as port:
        outcome = await carry_out(load(port, Answer(status=200, fields=("next",))))
    assert asked == [str(number) for number in range(len(asked))]
    assert len(outcome.microseconds[200]) == len(asked) > 0
    assert all(each > 0 for each in outcome.microseconds[200])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (answer("oops", "500 Internal Server Error"), r"POST /next: the answer has status 500 and not 200: 'oops'"),
        (answer('{"other":"1"}'), r"POST /next: the answer is not an object of next"),
    ],
)
async def test_the_first_wrong_answer_ends_it_all(wrong: bytes, said: str) -> None:
    async with answering(iter([answer('{"next":"1"}'), wrong]), []) as port:
        with pytest.raises(WrongAnswer, match=said):
            await carry_out(load(port, Answer(status=200, fields=("next",))))


async def test_no_answer_is_a_wrong_one() -> None:
    async with answering(iter([answer('{"next":"1"}')]), []) as port:
        with pytest.raises(WrongAnswer, match="there was no answer"):
            await carry_out(load(port, Answer(status=200, fields=("next",))))


async def test_who_is_told_to_wait_waits() -> None:
    busy = answer('{"next":"1"}', "503 Service Unavailable", "Retry-After: 5\r\n")
    asked = list[str]()
    async with answering(iter([busy] * 100), asked) as port:
        outcome = await carry_out(load(port, Answer(status=503, fields=("next",), headers=("Retry-After",))))
    assert asked == ["0"]
    assert [*outcome.microseconds] == [503]
