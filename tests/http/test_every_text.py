"""All of Unicode, in every place that takes a text (IN-03, IN-05, fault 39, fault 41, fault 42).

The places are read off the document and the routes. Wherever it stands, a text is taken or refused: never an accident,
never another answer than the documented ones (the client sees to that), and a refusal never repeats it.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import adapters.http
from adapters.http.app import create_app
from adapters.http.route_policies import ROUTE_POLICIES, Access
from tests.architecture.test_house import routes
from tests.conftest import FuzzProfile
from tests.http.conftest import CONFIG, make_admin, signed_in
from tests.world import World

CANARY = "canary7f3a"
DOCUMENT = create_app(config=CONFIG).openapi()
# NUL, line breaks, C1, a lone surrogate, overrides of direction, no width, a noncharacter, letters that grow.
AWKWARD = "\0\r\n\x1b\x7f\x85\ud800\u061c\u202e\u2066\u200b\u200d\ufeff\uffff\u0130\u00df\ufb03%\"'<\\/"
characters = st.characters() | st.sampled_from(AWKWARD)
texts = st.text(characters, max_size=40)
emails = st.builds(
    f"{CANARY}{{}}@{{}}example.com".format, st.text(characters, max_size=4), st.text(characters, max_size=4)
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked, with a body that is in order."""

    id: str
    method: str
    path: str
    schema: dict[str, Any]
    examples: list[dict[str, Any]]

    def url(self) -> str:
        return re.sub(r"\{\w+\}", str(uuid4()), self.path)

    def body_with(self, field: str, value: str) -> dict[str, Any]:
        """The example that has the field, or the first, with the value in its place."""
        example = next((example for example in self.examples if field in example), self.examples[0])
        is_list = self.schema["properties"][field].get("type") == "array"
        return example | {field: [value] if is_list else value}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _operations() -> Iterator[Operation]:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            schema = _resolved(content.get("schema", {}))
            yield Operation(operation["operationId"], method.upper(), path, schema, schema.get("examples", []))


OPERATIONS = {operation.id: operation for operation in _operations()}


def kinds_of(field: dict[str, Any]) -> set[str | None]:
    """What may stand there, itself or in a list."""
    return {kind.get("type") for kind in _kinds(field)}


def _kinds(field: dict[str, Any]) -> list[dict[str, Any]]:
    return [_resolved(kind) for kind in field.get("items", field).get("anyOf", [field.get("items", field)])]


def longest(field: dict[str, Any]) -> int | None:
    """The greatest length of a text there; None where there is none."""
    kinds = _kinds(field)
    lengths = [kind["maxLength"] for kind in kinds if kind.get("type") == "string" and "maxLength" in kind]
    return max(lengths, default=None)


FIELDS = [
    (operation.id, name, longest(field))
    for operation in OPERATIONS.values()
    for name, field in operation.schema.get("properties", {}).items()
    if "enum" not in field and "string" in kinds_of(field)
]
# Read by nobody, but by whoever builds on us; or by what stands in front of us.
HEADERS_OF_OTHERS = {"x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip", "referer", "range", "expect"}


def headers_read() -> set[str]:
    """The request headers whose names stand in the code of the HTTP adapter."""
    code = "\n".join(path.read_text() for path in Path(adapters.http.__path__[0]).rglob("*.py"))
    named = re.findall(r'headers\.get(?:list)?\(\s*"([a-z-]+)"|"([a-z-]+)" (?:not )?in request\.headers', code)
    declared = {
        parameter["name"].lower()
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    return {name for pair in named for name in pair if name} | declared | {"x-request-id", "cookie"}


@pytest.fixture(scope="session")
def shared_app() -> FastAPI:
    """One that has every route, those for development among them."""
    return create_app(config=replace(CONFIG, mailbox=True))


@pytest.fixture
def tries(fuzz_profile: FuzzProfile, request: pytest.FixtureRequest) -> int:
    """How many texts each place is tried with. PostgreSQL takes longer, and mostly sees what memory has seen."""
    return fuzz_profile.examples * (1 if "postgres" in request.node.name else 3)


@pytest.fixture
def for_all(fuzz_profile: FuzzProfile, tries: int) -> Callable[..., Awaitable[None]]:
    """Hypothesis, where trying is asynchronous: it runs in a thread of its own, and what it tries here."""

    async def run(
        values: st.SearchStrategy[Any], check: Callable[[Any], Awaitable[None]], always: Iterable[Any] = ()
    ) -> None:
        for value in always:
            await check(value)
        loop = asyncio.get_running_loop()

        @settings(max_examples=tries, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @seed(fuzz_profile.seed)
        @given(values)
        def hold(value: object) -> None:
            asyncio.run_coroutine_threadsafe(_as_coroutine(check(value)), loop).result()

        await asyncio.to_thread(hold)

    return run


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def expect_fair(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert CANARY not in answer.text + str(answer.headers)


@pytest.mark.parametrize(("operation", "field", "length"), FIELDS)
async def test_in_03_fault_39_every_text_of_every_body(
    client: httpx.AsyncClient, world: World, for_all: Any, operation: str, field: str, length: int | None
) -> None:
    assert length is not None, "IN-04: every text has a greatest length"
    asked = OPERATIONS[operation]
    headers = await signed_in(client)
    if ROUTE_POLICIES[operation].access in {Access.ADMIN, Access.RECENT_ADMIN}:
        await make_admin(world)
    sizes = st.sampled_from([0, 1, length - 1, length, length + 1, 9 * length]).map(lambda size: ("x" * size)[:60_000])
    canaries = st.builds(f"{{}}{CANARY}{{}}".format, texts, texts)

    async def check(value: str) -> None:
        content = json.dumps(asked.body_with(field, value)).encode()
        as_json = headers | {"Content-Type": "application/json"}
        answer = await client.request(asked.method, asked.url(), content=content, headers=as_json)
        expect_fair(answer)
        if "\0" in value or re.search("[\ud800-\udfff]", value) or len(value) > length:
            assert answer.status_code == 422

    always = [f"{CANARY}\0", f"{CANARY}\ud800", f"{CANARY}\u202e\r\n", CANARY + "x" * length]
    await for_all(canaries | emails | texts | sizes, check, always)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("path", sorted({route.path_format for route in routes() if "{" in route.path_format}))
async def test_in_03_fault_41_every_text_of_every_path(client: httpx.AsyncClient, for_all: Any, path: str) -> None:
    headers = await signed_in(client)
    # What may be a reference is one of operators.
    refused = {403, 404} if "{reference}" in path else {404}
    methods = sorted({method for route in routes() if route.path_format == path for method in route.methods or ()})

    async def check(value: bytes) -> None:
        url = re.sub(r"\{\w+\}", CANARY + quote_from_bytes(value, safe=""), path)
        for method in methods:
            answer = await client.request(method, url, headers=headers)
            assert answer.status_code in refused
            expect_fair(answer)

    always = [b"\0", b"\xff", b"\xed\xa0\x80", b"\r\nX-Y: z", "\u202e".encode()]
    await for_all(st.binary(max_size=20) | st.text(max_size=20).map(str.encode), check, always)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("path", sorted({route.path_format for route in routes()}))
async def test_in_03_fault_41_every_query(client: httpx.AsyncClient, for_all: Any, path: str) -> None:
    headers = await signed_in(client)
    (route, *_) = [route for route in routes() if route.path_format == path]
    escaped = st.binary(max_size=12).map(quote_from_bytes)
    parameter = st.tuples(escaped, escaped).map("=".join)
    raw = st.text("abc012&=;+%[]?/", max_size=20)

    async def check(query: str) -> None:
        url = re.sub(r"\{\w+\}", str(uuid4()), path)
        answer = await client.request(min(route.methods or ()), f"{url}?%22{CANARY}={CANARY}&{query}", headers=headers)
        expect_fair(answer)
        if path.startswith("/v1/"):
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
            assert {error["pointer"][0] for error in answer.json()["errors"]} == {"?"}

    await for_all(st.lists(parameter, max_size=3).map("&".join) | raw, check)


@pytest.mark.parametrize("header", sorted(headers_read() | HEADERS_OF_OTHERS))
async def test_in_03_in_05_every_text_of_every_header(client: httpx.AsyncClient, for_all: Any, header: str) -> None:
    numbers = count()
    mine = await signed_in(client)
    # What HTTP itself lets through: no line breaks, no NUL (RFC 9110 section 5.5).
    octets = st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode(errors="ignore"))
    close = st.sampled_from(
        [b"Bearer ", b'W/"', b'"', b"*", b"application/json; charset=", b"a=b; ", b"en;q=", b"bytes="]
    )
    values = st.builds(lambda start, rest: start + rest, close | st.just(b""), octets)

    async def check(tried: tuple[Operation, bytes]) -> None:
        nonlocal mine
        operation, value = tried
        value = re.sub(rb"[\x00\r\n]", b"", value) + CANARY.encode()
        given_headers = {name.encode(): text.encode() for name, text in mine.items()} | {header.encode(): value}
        if header.title() in mine:
            del given_headers[header.title().encode()]
        body = operation.examples[0] if operation.examples else None
        answer = await client.request(operation.method, operation.url(), json=body, headers=list(given_headers.items()))
        expect_fair(answer)
        assert CANARY not in str(answer.headers)
        if answer.status_code in {202, 204}:
            # They may have ended their own session, or all.
            mine = await signed_in(client, f"user{next(numbers)}@example.com")

    await for_all(st.tuples(st.sampled_from([*OPERATIONS.values()]), values), check)


def test_headers_are_found_where_they_are_read() -> None:
    assert {
        "authorization",
        "user-agent",
        "accept-language",
        "if-match",
        "if-none-match",
        "content-type",
    } <= headers_read()


def test_the_places_are_all_there() -> None:
    assert {("register_user", "display_name", 100), ("verify_email", "code", 32)} <= set(FIELDS)
    assert len(FIELDS) > 20
