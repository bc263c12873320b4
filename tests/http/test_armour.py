"""What a request must keep to before anybody reads it, under whatever server (IN-01, AP-02, HD-06, fault 34)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import product

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from adapters.http.app import HttpConfig, create_app
from adapters.http.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_HEADER_FIELDS, MAX_URL_BYTES
from adapters.http.problems import MEDIA_TYPE
from tests.architecture.test_house import routes
from tests.http.conftest import ORIGIN, signed_in
from tests.world import World

HOST = b"accounts.example.com"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def world(memory_world: World) -> World:
    return memory_world


@pytest.fixture(scope="session")
def shared_app() -> FastAPI:
    hosts = ("accounts.internal", "[::1]")
    config = HttpConfig(public_url=ORIGIN, version="test", mailbox=True, allowed_hosts=hosts, body_seconds=0.0)
    return create_app(config=config)


@pytest.fixture
async def bare(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what it is told and a Host, of an app in which a body is late that is not there at once."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        client.headers.clear()
        yield client


def expect_refusal(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["connection"] == "close"
    assert answer.json()["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"
    assert answer.headers["x-content-type-options"] == "nosniff"


def fields_of(size: int) -> list[tuple[bytes, bytes]]:
    """One field that makes all of them as large as that, together with the Host."""
    return [(b"X", b"x" * (size - len(b"HostX") - len(HOST) - 2 * len(b": \r\n")))]


async def test_in_01_headers_are_bounded_in_bytes_and_in_number(bare: httpx.AsyncClient) -> None:
    assert (await bare.get("/livez", headers=fields_of(MAX_HEADER_BYTES))).status_code == 200
    expect_refusal(await bare.get("/livez", headers=fields_of(MAX_HEADER_BYTES + 1)), 431, "headers_too_large")
    many = [(b"X-%d" % number, b"") for number in range(MAX_HEADER_FIELDS)]
    assert (await bare.get("/livez", headers=many[1:])).status_code == 200
    expect_refusal(await bare.get("/livez", headers=many), 431, "headers_too_large")


async def test_in_01_addresses_are_bounded(bare: httpx.AsyncClient) -> None:
    longest = "/livez?" + "x" * (MAX_URL_BYTES - len("/livez?"))
    assert (await bare.get(longest)).status_code == 200
    expect_refusal(await bare.get(f"{longest}x"), 414, "uri_too_long")
    expect_refusal(await bare.get("/" + "x" * MAX_URL_BYTES), 414, "uri_too_long")


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"a/?x=",
        b"accounts.example.com/?x=",
        b"accounts.example.com@evil.example",
        b"accounts.example.com, evil.example",
        b"accounts.example.com:port",
        b"accounts.example.com:",
        b"accounts.example.com:443:443",
        b"http://accounts.example.com",
        b"[::1",
        b"\xc3\xa9.example.com",
        b"a b",
        b"a\tb",
        b"x" * 300,
    ],
)
@pytest.mark.parametrize("path", ["/v1/users/me", "/livez"])
async def test_hd_06_incident_55_a_host_that_is_none_is_refused(
    bare: httpx.AsyncClient, path: str, host: bytes
) -> None:
    expect_refusal(await bare.get(path, headers=[(b"Host", host)]), 400, "invalid_host")


async def test_hd_06_there_is_one_host(app: FastAPI) -> None:
    for hosts in ([], [(b"host", HOST)] * 2):
        answer = await ask(app, headers=hosts)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_host")


@pytest.mark.parametrize("path", ["/v1/users/me", "/docs", "/openapi.json", "/nowhere"])
async def test_hd_06_only_hosts_of_this_service_are_served(bare: httpx.AsyncClient, path: str) -> None:
    for foreign in ("evil.example", "accounts.example.com.evil.example", "127.0.0.1", "xaccounts.example.com"):
        answer = await bare.get(path, headers={"Host": foreign})
        expect_refusal(answer, 400, "invalid_host")
        assert foreign not in answer.text
    for ours in ("accounts.example.com", "ACCOUNTS.example.com:443", "accounts.internal:8000", "[::1]:8000"):
        assert (await bare.get(path, headers={"Host": ours})).status_code != 400


async def test_hd_06_probes_may_come_by_address(bare: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz"):
        assert (await bare.get(path, headers={"Host": "10.0.0.7:8000"})).status_code == 200


@pytest.mark.parametrize(
    ("public_url", "host", "allowed"),
    [
        ("http://[::1]:8000/auth", "[::1]:8000", True),
        ("http://[::1]:8000", "[::1]", True),
        ("http://[::1]", "[::1]", True),
        ("https://Accounts.example.com:8443", "accounts.example.com:8443", True),
        ("https://accounts.example.com", "localhost", False),
    ],
)
async def test_the_host_of_the_public_url_is_always_ours(
    memory_world: World, public_url: str, host: str, *, allowed: bool
) -> None:
    app = create_app(memory_world.container, config=HttpConfig(public_url=public_url, version="test"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://any") as client:
        answer = await client.get("/v1/config", headers={"Host": host})
    assert answer.status_code == (200 if allowed else 400)


@pytest.mark.parametrize(
    "framing",
    [
        [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"2"), (b"content-length", b"2")],
        [(b"content-length", b"2, 2")],
        [(b"content-length", b"+2")],
        [(b"content-length", b"-2")],
        [(b"content-length", b"0x2")],
        [(b"content-length", b"")],
        [(b"content-length", "²".encode())],
        [(b"content-length", b"9" * 5000)],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"identity")],
        [(b"transfer-encoding", b"\x0bchunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
    ],
    ids=range(13),
)
async def test_in_01_incident_58_where_a_body_ends_is_said_once(
    app: FastAPI, framing: list[tuple[bytes, bytes]]
) -> None:
    answer = await ask(app, headers=[(b"host", HOST), *framing], method="POST", path="/v1/users")
    expect_refusal(answer, 400, "bad_request")


async def test_incident_58_version_1_0_knows_no_chunks(app: FastAPI) -> None:
    chunked = [(b"host", HOST), (b"transfer-encoding", b"chunked")]
    assert (await ask(app, headers=chunked, http_version="1.0")).status_code == 400
    assert (await ask(app, headers=chunked)).status_code == 200


async def test_in_01_a_body_that_says_it_is_too_large_is_not_read(app: FastAPI) -> None:
    length = b"%d" % (MAX_BODY_BYTES + 1)
    answer = await ask(app, headers=[(b"host", HOST), (b"content-length", length)], method="POST", path="/v1/users")
    expect_refusal(answer, 413, "body_too_large")


async def test_in_01_a_body_that_becomes_too_large_is_cut_off(bare: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024

    expect_refusal(await bare.post("/v1/users", content=endless(), headers=JSON), 413, "body_too_large")


async def test_in_01_a_body_that_does_not_come_is_not_waited_for(bare: httpx.AsyncClient) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    expect_refusal(await bare.post("/v1/users", content=stuck(), headers=JSON), 408, "request_timeout")
    # Where nobody reads, nobody waits either.
    assert (await bare.request("GET", "/livez", content=stuck())).status_code == 200
    assert (await bare.post("/v1/nowhere", content=stuck())).status_code == 404


async def test_later_versions_of_http_close_no_connections(app: FastAPI) -> None:
    answer = await ask(app, headers=[(b"host", b"evil.example")], path="/v1/users/me", http_version="2")
    assert answer.status_code == 400
    assert "connection" not in answer.headers


def url_of(route: APIRoute) -> str:
    return route.path.replace("{", "").replace("}", "")


def methods_by_path() -> dict[str, set[str]]:
    """By one path for each route, the methods of all routes that fit it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path, route in product(map(url_of, routes()), routes()):
        if route.path_regex.fullmatch(path):
            found[path] |= route.methods or set()
    return found


BY_PATH = methods_by_path()


@pytest.mark.parametrize("path", sorted(BY_PATH))
async def test_ap_02_every_path_has_exactly_the_methods_that_it_names(bare: httpx.AsyncClient, path: str) -> None:
    expected = BY_PATH[path] | {"OPTIONS"} | ({"HEAD"} if "GET" in BY_PATH[path] else set())
    asked = await bare.options(path)
    assert (asked.status_code, asked.content) == (204, b"")
    assert set(asked.headers["allow"].split(", ")) == expected
    assert "content-length" not in asked.headers
    everything = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "QUERY", "X"}
    for method in everything - expected:
        answer = await bare.request(method, path)
        assert answer.status_code == 405, method
        assert answer.headers["allow"] == asked.headers["allow"]
        assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", [*sorted(path for path in BY_PATH if "GET" in BY_PATH[path]), "/docs", "/nowhere"])
async def test_ap_02_head_is_get_without_its_content(client: httpx.AsyncClient, path: str) -> None:
    own = {"X-Request-Id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"}
    for headers in (own, own | await signed_in(client)):
        got, head = await client.get(path, headers=headers), await client.head(path, headers=headers)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers == got.headers


async def test_ap_02_refusals_of_head_have_no_content_either(bare: httpx.AsyncClient) -> None:
    answer = await bare.head("/v1/users/me", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.content) == (400, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_ap_02_the_service_as_a_whole_has_methods_and_what_is_not_there_has_none(app: FastAPI) -> None:
    asterisk = await ask(app, headers=[(b"host", HOST)], method="OPTIONS", path="*")
    assert (asterisk.status_code, asterisk.headers["allow"]) == (204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    assert (await ask(app, headers=[(b"host", HOST)], method="OPTIONS", path="/nowhere")).status_code == 404


async def ask(
    app: FastAPI,
    *,
    headers: list[tuple[bytes, bytes]],
    method: str = "GET",
    path: str = "/livez",
    http_version: str = "1.1",
) -> httpx.Response:
    """The answer to what no client would send. Its body, if it has one, must not be asked for."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": http_version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("192.0.2.7", 4711),
        "server": None,
    }
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[arg-type]
    start, *pieces = sent
    content = b"".join(piece["body"] for piece in pieces)  # type: ignore[misc]
    return httpx.Response(start["status"], headers=start["headers"], content=content)  # type: ignore[arg-type]
