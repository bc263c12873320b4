"""Files that are larger than other bodies, by raw sockets, to the server as it is shipped (IN-01)."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from adapters.http.app import HttpConfig, create_app
from adapters.http.limits import FILE
from application.users.create_user import CreateUser
from tests.e2e.test_raw_sockets import HEAD, HOST, POST, Client, serving
from tests.world import EMAIL, PASSWORD, World, make_world

SEND = b"POST /v1/admin/imports?mode=apply HTTP/1.1\r\n" + HEAD + b"Content-Type: application/x-ndjson\r\n"
LINE = b'{"email": "bob@example.com"}' + b" " * 995 + b"\n"


@pytest.fixture(scope="module")
def world() -> World:
    world = make_world()
    create = world.container.resolve(CreateUser)
    asyncio.run(create.execute(email=EMAIL, password=PASSWORD, roles=frozenset({"admin"})))
    return world


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[tuple[str, int]]:
    app = create_app(world.container, config=HttpConfig(public_url=f"https://{HOST}", version="test"))
    with serving(app) as address:
        yield address


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.fixture
def bearer(client: Client) -> bytes:
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    head = POST.replace(b"/v1/users", b"/v1/sessions")
    answer = client.ask(head, b"Content-Length: %d\r\n\r\n" % len(body), body)
    token: str = json.loads(answer.content)["access_token"]
    return f"Authorization: Bearer {token}\r\n".encode()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_may_send_a_file_may_send_a_large_one_and_then_go_on(
    client: Client,
    bearer: bytes,
    is_chunked: bool,  # noqa: FBT001  (pytest's way)
) -> None:
    lines = 3 * 1024
    if is_chunked:
        pieces = [b"Transfer-Encoding: chunked\r\n\r\n", *([b"400\r\n" + LINE + b"\r\n"] * lines), b"0\r\n\r\n"]
    else:
        pieces = [b"Content-Length: %d\r\n\r\n" % (lines * len(LINE)), *([LINE] * lines)]
    answer = client.ask(SEND, bearer, *pieces)
    assert answer.status == 202
    # What is allowed there is allowed there alone.
    assert client.ask(POST, b"Content-Length: 65537\r\n\r\n").code == "body_too_large"


def test_who_may_not_is_told_before_the_file_has_come(client: Client) -> None:
    answer = client.ask(SEND, b"Content-Length: %d\r\n\r\n" % FILE.bytes, LINE)
    assert answer.code == "invalid_access_token"


def test_a_file_that_is_too_large_is_refused_by_its_length(client: Client, bearer: bytes) -> None:
    answer = client.ask(SEND, bearer, b"Content-Length: %d\r\n\r\n" % (FILE.bytes + 1))
    assert answer.code == "body_too_large"


def test_a_malformed_chunk_of_a_file_is_refused(client: Client, bearer: bytes) -> None:
    answer = client.ask(SEND, bearer, b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + LINE + b"\r\nx")
    assert answer.code == "bad_request"
