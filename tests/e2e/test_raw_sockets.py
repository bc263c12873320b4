"""What no well-behaved client sends, by raw sockets, to the server as it is shipped (IN-01, AP-02, fault 33 to 35)."""

import asyncio
import gc
import json
import random
import select
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import ClassVar, Self

import psutil
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.app import HttpConfig, create_app
from adapters.http.limits import ConnectionLimits
from adapters.http.protocol import ArmouredProtocol
from adapters.http.server import server_config
from entrypoints.service import make_app
from entrypoints.settings import Environment, Settings
from tests.world import EMAIL, PASSWORD, PLENTY, make_world

HOST = "accounts.example.com"
HEAD = f"Host: {HOST}\r\n".encode()
GET = b"GET /livez HTTP/1.1\r\n" + HEAD
POST = b"POST /v1/users HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
PERSON = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        code: str = json.loads(self.content)["code"]
        return code


class Client:
    """One connection, and no more knowledge of HTTP than is needed to read answers."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._socket.close()

    def send(self, *pieces: bytes) -> Self:
        for piece in pieces:
            self._socket.sendall(piece)
        return self

    def answer(self, *, has_content: bool = True) -> Answer:
        status = self._reader.readline()
        assert status.startswith(b"HTTP/1.1 "), status
        headers: dict[str, str] = {}
        while (line := self._reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode("latin-1").strip().partition(":")
            headers[name.lower()] = value.strip()
        content = self._reader.read(int(headers.get("content-length", 0))) if has_content else b""
        return Answer(int(status.split()[1]), headers, content)

    def ask(self, *pieces: bytes) -> Answer:
        return self.send(*pieces).answer()

    def is_closed(self) -> bool:
        """Whether nothing more comes. Waits until that is certain, one way or the other."""
        try:
            return self._reader.read(1) == b""
        except ConnectionResetError:
            return True

    def trickle(self) -> None:
        """Send byte after byte until there is an answer."""
        while not select.select([self._socket], [], [], 0.01)[0]:
            self._socket.sendall(b"x")

    def break_off(self) -> None:
        """Leave without a word, as when a cable is pulled: what is underway is lost."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.__exit__()


class Impatient(ArmouredProtocol):
    limits: ClassVar[ConnectionLimits] = ConnectionLimits(
        idle_seconds=0.2, head_seconds=0.2, unread_seconds=0.2, write_seconds=0.2, linger_seconds=0.2
    )


@contextmanager
def serving(
    app: ASGIApp, protocol: type[ArmouredProtocol] = ArmouredProtocol, *, loop: str = "auto"
) -> Iterator[tuple[str, int]]:
    """The address of the app under the server of the shipped command."""
    config = server_config(app, protocol=protocol)
    config.loop = loop
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            thread.join(timeout=10)
        assert not thread.is_alive(), "it waits for a request that never ends"


def app_with(*, body_seconds: float = 10.0) -> FastAPI:
    config = HttpConfig(public_url=f"https://{HOST}", version="test", body_seconds=body_seconds)
    return create_app(make_world().container, config=config)


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with serving(app_with()) as address:
        yield address


@pytest.fixture(scope="module")
def impatient() -> Iterator[tuple[str, int]]:
    """A server of the same make that waits for nothing longer than 0.2 seconds."""
    with serving(app_with(body_seconds=0.2), Impatient) as address:
        yield address


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    with Client(address) as client:
        yield client


def expect_refusal(client: Client, answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert json.loads(answer.content)["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    assert client.is_closed()


MALFORMED = {
    "both lengths": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, turned round": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "an empty length": POST + b"Content-Length:\r\n\r\n{}",
    "a length beyond numbers": POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n{}",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, gzip": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "vertical tab, chunked": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded line": GET + b"X: a\r\n b\r\n\r\n",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "line feeds alone": GET.replace(b"\r\n", b"\n") + b"\n",
    "a line feed within": GET + b"X: a\nTransfer-Encoding: chunked\r\n\r\n",
    "a carriage return alone": GET + b"X: a\rY: b\r\n\r\n",
    "a blank before the colon": GET + b"Transfer-Encoding : chunked\r\n\r\n",
    "a tab before the colon": GET + b"X\t: a\r\n\r\n",
    "a blank before the name": b"GET /livez HTTP/1.1\r\n Host: a\r\n\r\n",
    "no name": GET + b": a\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    "NUL in a value": GET + b"X: a\0b\r\n\r\n",
    "NUL in a name": GET + b"X\0: a\r\n\r\n",
    "a control in a value": GET + b"X: a\x1bb\r\n\r\n",
    "a name beyond ASCII": GET + b"X\xff: a\r\n\r\n",
    "a negative chunk": CHUNKED + b"-1\r\nx\r\n0\r\n\r\n",
    "a chunk as in C": CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
    "a chunk with a blank": CHUNKED + b"1 \r\nx\r\n0\r\n\r\n",
    "a chunk without size": CHUNKED + b"\r\nx\r\n0\r\n\r\n",
    "a chunk beyond numbers": CHUNKED + b"fffffffffffffffff\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nxy\r\n0\r\n\r\n",
    "chunks with line feeds": CHUNKED + b"1\nx\n0\n\n",
    "an extension with a line feed": CHUNKED + b"1;a\nx\r\n0\r\n\r\n",
    "fields after the body": CHUNKED + b"1\r\n{\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
    "HTTP/0.9": b"GET /livez\r\n\r\n",
    "HTTP/0.9 by name": b"GET /livez HTTP/0.9\r\n\r\n",
    "HTTP/1.2": GET.replace(b"1.1", b"1.2") + b"\r\n",
    "HTTP/2 by name": GET.replace(b"1.1", b"2.0") + b"\r\n",
    "HTTP/2 beforehand": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "a blank in the address": b"GET /livez x HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL in the address": b"GET /livez\0 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a control in the address": b"GET /livez\x1b HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an address beyond ASCII": b"GET /\xed\xa0\x80 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an address with a fragment": b"GET /livez#x HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an address without a slash": b"GET livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "another host in the address": b"GET http://evil.example/livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a user in the address": f"GET http://evil@{HOST}/livez HTTP/1.1\r\n".encode() + HEAD + b"\r\n",
    "another protocol in the address": b"GET file:///livez HTTP/1.1\r\n" + HEAD + b"\r\n",
    "tabs between the words": b"GET\t/livez\tHTTP/1.1\r\n" + HEAD + b"\r\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_fault_34_incident_58_what_can_be_read_in_two_ways_is_refused(client: Client, sent: bytes) -> None:
    expect_refusal(client, client.ask(sent), 400, "bad_request")


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_fault_34_it_makes_no_difference_in_how_many_pieces_it_comes(client: Client, sent: bytes) -> None:
    middle = len(sent) - 5
    expect_refusal(client, client.ask(sent[:middle], sent[middle:]), 400, "bad_request")


@pytest.mark.parametrize(
    "hosts", [b"", HEAD * 2, b"Host:\r\n", b"Host: a/?x=\r\n", b"Host: evil.example\r\n", b"Host: a b\r\n"]
)
def test_hd_06_incident_55_one_host_and_ours(client: Client, hosts: bytes) -> None:
    answer = client.ask(b"GET /v1/users/me HTTP/1.1\r\n" + hosts + b"\r\n")
    expect_refusal(client, answer, 400, "invalid_host")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (GET + b"X: " + b"x" * 17_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (GET + b"X" * 17_000 + b": x\r\n\r\n", 431, "headers_too_large"),
        (GET + b"X:" + b" " * 100_000 + b"x\r\n\r\n", 431, "headers_too_large"),
        (GET + b"a:b\r\n" * 100 + b"\r\n", 431, "headers_too_large"),
        (GET + b"a:b\r\n" * 20_000, 431, "headers_too_large"),
        (b"\r\n" * 50_000, 431, "headers_too_large"),
        (b"GET /" + b"x" * 8_192 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", 414, "uri_too_long"),
        (b"GET /livez?" + b"x" * 1_000_000, 414, "uri_too_long"),
        (POST + b"Content-Length: 65537\r\n\r\n", 413, "body_too_large"),
        (POST + b"Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n", 413, "body_too_large"),
        (CHUNKED + b"10001\r\n" + b" " * 65_537 + b"\r\n0\r\n\r\n", 413, "body_too_large"),
        (CHUNKED + b"1;" + b"x" * 3_000_000 + b"\r\nx\r\n0\r\n\r\n", 413, "body_too_large"),
        (CHUNKED + b"0" * 3_000_000 + b"1\r\nx\r\n0\r\n\r\n", 413, "body_too_large"),
        (CHUNKED + b"1\r\n{\r\n0\r\nX: " + b"x" * 3_000_000 + b"\r\n\r\n", 413, "body_too_large"),
    ],
    ids=range(14),
)
def test_in_01_fault_33_what_is_too_large_is_cut_off(client: Client, sent: bytes, status: int, code: str) -> None:
    expect_refusal(client, client.ask(sent), status, code)


def test_in_01_what_is_just_small_enough_is_served(client: Client) -> None:
    url = b"GET /livez?" + b"x" * (8_192 - len(b"/livez?")) + b" HTTP/1.1\r\n"
    fields = b"X: " + b"x" * (16_384 - len(HEAD) - len(b"X: \r\n")) + b"\r\n"
    assert client.ask(url, HEAD, fields, b"\r\n").status == 200
    assert client.ask(GET, b"a:b\r\n" * 99, b"\r\n").status == 200
    assert client.ask(POST, b"Content-Length: 65536\r\n\r\n", b" " * 65_536).code == "malformed_json"
    in_single_bytes = b"".join(b"1\r\n%c\r\n" % byte for byte in PERSON)
    assert client.ask(CHUNKED, in_single_bytes, b"0\r\n\r\n").status == 201


def test_fault_34_a_header_of_20_mb_neither_fills_memory_nor_keeps_others_waiting(address: tuple[str, int]) -> None:
    with Client(address) as hostile, Client(address) as other:
        assert other.ask(GET, b"\r\n").status == 200
        gc.collect()
        before = psutil.Process().memory_info().rss
        piece = b"x" * 65_536
        hostile.send(GET, b"X: ")
        for number in range(320):
            hostile.send(piece)
            if number % 64 == 0:
                assert other.ask(GET, b"\r\n").status == 200
        expect_refusal(hostile, hostile.answer(), 431, "headers_too_large")
        assert psutil.Process().memory_info().rss - before < 8 * 1024 * 1024


def test_fault_34_two_hundred_slow_clients_keep_nobody_waiting(address: tuple[str, int]) -> None:
    with ExitStack() as open_ones, Client(address) as other:
        slow = [open_ones.enter_context(Client(address)) for _ in range(200)]
        for heads, bodies in zip(slow[:100], slow[100:], strict=True):
            heads.send(b"GET /livez HTTP/1.1\r\nHo")
            bodies.send(POST, b"Content-Length: 10\r\n\r\n{")
        for _ in range(50):
            assert other.ask(GET, b"\r\n").status == 200
            assert other.ask(POST, b"Content-Length: 2\r\n\r\n{}").status == 422
        # They were only slow.
        assert slow[0].ask(b"st: a\r\n\r\n").status == 200
        assert slow[100].ask(b" " * 9).code == "malformed_json"


def test_fault_34_where_there_is_no_more_room_whoever_has_waited_longest_goes() -> None:
    class Small(ArmouredProtocol):
        limits: ClassVar[ConnectionLimits] = ConnectionLimits(connections=10)

    with serving(app_with(), Small) as address, ExitStack() as open_ones:
        kept = open_ones.enter_context(Client(address))
        slow = [open_ones.enter_context(Client(address)) for _ in range(9)]
        for number, client in enumerate(slow):
            client.send(POST + b"Content-Length: 10\r\n\r\n{" if number % 2 else b"GET /livez HT")
        assert kept.ask(GET, b"\r\n").status == 200
        for number in range(9):
            with Client(address) as another:
                assert another.ask(GET, b"\r\n").status == 200
            assert number > 0 or slow[0].is_closed()
        assert kept.ask(GET, b"\r\n").status == 200


@pytest.mark.parametrize("loop", ["auto", "asyncio"])
def test_fault_34_there_is_no_more_room_for_many_at_once_either(loop: str) -> None:
    class Tiny(ArmouredProtocol):
        limits: ClassVar[ConnectionLimits] = ConnectionLimits(connections=3)

    has_begun, may_go_on = threading.Event(), threading.Event()

    async def holding_up_everything(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "there is nothing to start"
        has_begun.set()
        may_go_on.wait()
        await Response(status_code=204)(scope, receive, send)

    with serving(holding_up_everything, Tiny, loop=loop) as address, ExitStack() as open_ones:
        first, *others = (open_ones.enter_context(Client(address)) for _ in range(2))
        first.send(GET, b"\r\n")
        assert has_begun.wait(timeout=10)
        others += [open_ones.enter_context(Client(address)) for _ in range(40)]
        may_go_on.set()
        assert first.answer().status == 204
        # The third is the first one, or the one before these two.
        assert all(client.is_closed() for client in others[:-3])
        assert [client.ask(GET, b"\r\n").status for client in others[-2:]] == [204, 204]


def test_fault_34_where_everybody_is_being_served_nobody_else_comes_in() -> None:
    class Tiny(ArmouredProtocol):
        limits: ClassVar[ConnectionLimits] = ConnectionLimits(connections=2)

    asked, may_go_on = threading.Semaphore(0), threading.Event()

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "there is nothing to start"
        asked.release()
        await asyncio.to_thread(may_go_on.wait)
        await Response(status_code=204)(scope, receive, send)

    with serving(busy, Tiny) as address, Client(address) as one, Client(address) as other:
        for client in (one, other):
            client.send(GET, b"\r\n")
            assert asked.acquire(timeout=10)
        with Client(address) as another:
            assert another.is_closed()
        may_go_on.set()
        assert [client.answer().status for client in (one, other)] == [204, 204]


def test_fault_34_heads_and_bodies_have_deadlines(impatient: tuple[str, int]) -> None:
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(Client(impatient)) for _ in range(6)]
        silent, blank, head, body, chunks, unread = clients
        blank.send(b"\r\n")
        head.send(GET, b"X: a")
        body.send(POST, b"Content-Length: 10\r\n\r\n{")
        chunks.send(CHUNKED, b"5\r\n{")
        # The answer is given before the body is there; the rest of it is not waited for in vain.
        assert unread.ask(b"POST /nowhere HTTP/1.1\r\n", HEAD, b"Content-Length: 10\r\n\r\n{").status == 404
        assert silent.is_closed()
        for late in (blank, head, body, chunks):
            expect_refusal(late, late.answer(), 408, "request_timeout")
        assert unread.is_closed()


def test_an_idle_connection_is_closed_without_a_word(impatient: tuple[str, int]) -> None:
    with Client(impatient) as client:
        assert client.ask(GET, b"\r\n").status == 200
        assert client.is_closed()


def test_fault_34_trickling_does_not_move_a_deadline(impatient: tuple[str, int]) -> None:
    with Client(impatient) as client:
        client.send(GET, b"X: ")
        client.trickle()
        expect_refusal(client, client.answer(), 408, "request_timeout")


def test_fault_34_whoever_stops_reading_is_cut_off() -> None:
    has_ended = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})
        has_ended.set()

    with serving(endless, Impatient) as address, Client(address) as client:
        client.send(GET, b"\r\n")
        assert has_ended.wait(timeout=10)


def test_a_body_that_nobody_reads_is_thrown_away(client: Client) -> None:
    for _ in range(3):
        assert client.ask(GET, b"Content-Length: 10\r\n\r\n", b"0123456789").status == 200
        assert client.ask(b"POST /nowhere HTTP/1.1\r\n", HEAD, b"Content-Length: 65536\r\n\r\n").status == 404
        client.send(b" " * 65_536)
    assert client.ask(GET, b"\r\n").status == 200


def test_fault_34_pipelined_requests_are_answered_in_order(client: Client) -> None:
    sign_up = POST + b"Content-Length: %d\r\n\r\n" % len(PERSON) + PERSON
    missing = b"GET /nowhere HTTP/1.1\r\n" + HEAD + b"\r\n"
    client.send((GET + b"\r\n" + missing + sign_up.replace(b"ada@", b"bob@") + b"HEAD" + GET[3:] + b"\r\n") * 2)
    for expected in (201, 400):
        assert client.answer().status == 200
        assert client.answer().status == 404
        assert client.answer().status == expected
        assert client.answer(has_content=False).status == 200


def test_fault_34_what_is_malformed_does_not_take_the_answers_before_it(client: Client) -> None:
    client.send((GET + b"\r\n") * 3 + b"GET /livez HTTP/7.7\r\n\r\n")
    assert [client.answer().status for _ in range(3)] == [200] * 3
    expect_refusal(client, client.answer(), 400, "bad_request")


def test_fault_34_nor_does_what_is_malformed_in_a_body_that_waits(client: Client) -> None:
    client.send(GET + b"\r\n" + CHUNKED + b"zz\r\n")
    assert client.answer().status == 200
    expect_refusal(client, client.answer(), 400, "bad_request")


def test_fault_34_what_has_been_answered_is_not_answered_again(client: Client) -> None:
    assert client.ask(CHUNKED.replace(b"/v1/users", b"/nowhere")).status == 404
    assert client.send(b"zz\r\n").is_closed()


def test_fault_35_everybody_who_is_served_hears_that_the_client_has_left() -> None:
    heard = threading.Event()

    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        assert (await receive())["type"] == "http.disconnect"
        heard.set()

    with serving(listening) as address, Client(address) as client:
        client.send((GET + b"\r\n") * 2).break_off()
        assert heard.wait(timeout=10)


def test_fault_34_there_is_an_end_to_pipelining(client: Client) -> None:
    client.send((GET + b"\r\n") * 5000)
    answers = [client.answer() for _ in range(18)]
    assert [answer.status for answer in answers[:-1]] == [200] * 17
    expect_refusal(client, answers[-1], 400, "bad_request")


def test_nothing_is_done_after_a_request_that_closes(client: Client) -> None:
    sign_up = POST + b"Content-Length: %d\r\n\r\n" % len(PERSON) + PERSON.replace(b"ada@", b"eve@")
    assert client.ask(GET + b"Connection: close\r\n\r\n" + sign_up).status == 200
    assert client.is_closed()


@pytest.mark.parametrize(
    "offered",
    [
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ],
)
def test_incident_58_other_protocols_that_are_offered_are_not_taken(client: Client, offered: bytes) -> None:
    hidden = b"DELETE /nowhere HTTP/1.1\r\n" + HEAD + b"\r\n"
    for sent in (
        GET + offered + b"\r\n",
        b"BREW" + GET[3:] + offered + b"\r\n",
        POST + offered + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden,
        POST + offered + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(hidden), hidden),
    ):
        status = {b"GET": 200, b"BRE": 405, b"POS": 400}[sent[:3]]
        # At once, and in pieces; and what follows is the next request.
        for pieces in ((sent + GET + b"\r\n",), (sent[:70], sent[70:-3], sent[-3:], GET + b"\r\n")):
            assert client.ask(*pieces).status == status
            assert client.answer().status == 200


def test_a_client_that_asks_whether_to_go_on_is_told(client: Client) -> None:
    client.send(POST, b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert client.answer().status == 100
    assert client.ask(b"{}").status == 422


@pytest.mark.parametrize("asks", [POST, GET.replace(b"/livez", b"/v1/users/me")])
def test_fault_34_an_answer_that_came_before_the_body_ends_the_connection(client: Client, asks: bytes) -> None:
    """What follows would be the body to one reader, and the next request to another (incident 58)."""
    asks = asks.replace(b"POST /v1/users ", b"POST /nothing ")
    answer = client.ask(asks, b"Expect: 100-continue\r\nContent-Length: 40\r\n\r\n")
    assert answer.status in {401, 404}
    assert answer.headers["connection"] == "close"
    assert client.is_closed()


def test_nobody_is_told_to_go_on_who_speaks_an_older_version(client: Client) -> None:
    old = POST.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert client.ask(old, b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}").status == 422


@pytest.mark.parametrize("method", [b"TRACE", b"BREW", b"get", b"PROPFIND", b"QUERY", b"M-SEARCH", b"!#$%&'*+.^_`|~-"])
def test_ap_02_other_methods_are_not_allowed(client: Client, method: bytes) -> None:
    for _ in range(2):
        answer = client.ask(method + GET[3:] + b"\r\n")
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        assert client.ask(method + b" /v1/users HTTP/1.1\r\n", HEAD, b"\r\n").headers["allow"] == "POST, OPTIONS"


def test_ap_02_nothing_is_connected_through_us(client: Client) -> None:
    answer = client.ask(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\nrest")
    expect_refusal(client, answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == ""


def test_ap_02_head_and_options_are_exact_on_the_wire(client: Client) -> None:
    head = client.send(b"HEAD" + GET[3:] + b"\r\n").answer(has_content=False)
    got = client.ask(GET, b"\r\n")
    assert head.status == 200
    assert set(head.headers) == set(got.headers)
    assert head.headers["content-length"] == got.headers["content-length"]
    options = client.ask(b"OPTIONS * HTTP/1.1\r\n", HEAD, b"\r\n")
    assert (options.status, options.content) == (204, b"")
    assert options.headers["allow"].startswith("GET, HEAD, POST")


def test_an_address_may_name_our_host(client: Client) -> None:
    assert client.ask(f"GET http://{HOST}/livez HTTP/1.1\r\n".encode(), HEAD, b"\r\n").status == 200


@pytest.mark.parametrize("path", [b"/%ed%a0%80", b"/%", b"/%00", b"//livez", b"/%2flivez", b"/livez%", b"/%zz"])
def test_fault_39_odd_addresses_are_not_there(client: Client, path: bytes) -> None:
    assert client.ask(b"GET " + path + b" HTTP/1.1\r\n", HEAD, b"\r\n").status == 404


@pytest.mark.usefixtures("postgres_uow")
def test_fault_35_clients_that_leave_take_no_connection_of_the_database_with_them(database: str) -> None:
    settings = Settings(
        _env_file=None,
        environment=Environment.TEST,
        secret_key=SecretStr("T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa"),
        database_url=SecretStr(database.replace("+asyncpg", "")),
        database_pool_size=1,
        worker=False,
        limit_mails=PLENTY,
        limit_all_mails=PLENTY,
    )
    asks = b'{"email": "nobody@example.com"}'
    local = POST.replace(HOST.encode(), b"localhost").replace(b"/v1/users", b"/v1/password-resets")
    request = local + b"Content-Length: %d\r\n\r\n" % len(asks) + asks
    chance = random.Random(35)  # noqa: S311  (the same points each time)
    with serving(make_app(settings)) as address:
        for number in range(300):
            client = Client(address)
            if number % 2:
                client.send(request[: chance.randrange(len(request))])
            elif number % 4:
                client.send(request * 2)
            else:
                client.send(request * 2).answer()
            client.break_off()
        with Client(address) as other:
            for _ in range(5):
                assert other.ask(request).status == 202


def test_the_server_runs_on_the_fast_loop() -> None:
    factory = server_config("entrypoints.api:app").get_loop_factory()
    assert factory is not None
    loop = factory()
    loop.close()
    assert type(loop).__module__ == ("uvloop" if sys.platform != "win32" else "asyncio.windows_events")
