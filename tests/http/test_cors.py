"""Pages of other origins: those that are named may call us, and nobody else (HD-03)."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.http.app import HttpConfig, create_app
from tests.http.conftest import ORIGIN, register
from tests.world import World

APP = "https://app.example.com"
FOREIGN = [
    "https://evil.example",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://app.example.com:8443",
    "http://app.example.com",
    "https://sub.app.example.com",
    "https://app.example.com/",
    "null",
    "*",
    "",
]


@pytest.fixture
async def browser(memory_world: World) -> AsyncIterator[httpx.AsyncClient]:
    config = HttpConfig(public_url=ORIGIN, version="test", cors_origins=(APP, "http://localhost:5173"))
    app = create_app(memory_world.container, config=config)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


def preflight(origin: str, method: str = "PATCH", headers: str = "authorization, content-type") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173"])
async def test_a_page_that_is_named_may_call_and_see_what_it_needs(browser: httpx.AsyncClient, origin: str) -> None:
    asked = await browser.options("/v1/users/me", headers=preflight(origin))
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    browser.headers["Origin"] = origin
    answer = await register(browser)
    assert answer.headers["access-control-allow-origin"] == origin
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    refused = await register(browser)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (400, origin)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_no_other_page_may(browser: httpx.AsyncClient, origin: str) -> None:
    asked = await browser.options("/v1/users/me", headers=preflight(origin))
    answer = await browser.get("/livez", headers={"Origin": origin})
    for seen in (asked, answer):
        assert "access-control-allow-origin" not in seen.headers
        assert "Origin" in seen.headers["vary"]
    assert asked.content == b""


@pytest.mark.parametrize("headers", [preflight(APP, method="TRACE"), preflight(APP, headers="x-anything")])
async def test_nor_what_is_not_needed(browser: httpx.AsyncClient, headers: dict[str, str]) -> None:
    asked = await browser.options("/v1/users/me", headers=headers)
    assert "access-control-allow-origin" not in asked.headers


async def test_without_the_setting_no_page_of_another_origin_may(memory_world: World) -> None:
    app = create_app(memory_world.container, config=HttpConfig(public_url=ORIGIN, version="test"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        for answer in (
            await client.options("/v1/users/me", headers=preflight(APP)),
            await client.get("/livez", headers={"Origin": APP}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"a/b")],
        [(b"host", b"a"), (b"host", b"b")],
        [(b"host", b"accounts.example.com"), (b"content-length", b"300000")],
        [(b"host", b"accounts.example.com"), (b"transfer-encoding", b"gzip, chunked")],
    ],
)
async def test_whoever_asks_beforehand_asks_like_everybody_else(
    browser: httpx.AsyncClient, headers: list[tuple[bytes, bytes]]
) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asks = [(name.lower().encode(), value.encode()) for name, value in preflight(APP).items()]
    scope = {
        "type": "http",
        "method": "OPTIONS",
        "path": "/v1/users/me",
        "raw_path": b"/v1/users/me",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "https",
        "server": ("accounts.example.com", 443),
        "client": ("192.0.2.7", 1),
        "headers": [*headers, *asks],
    }
    await browser._transport.app(scope, receive, send)  # type: ignore[attr-defined]  # noqa: SLF001  (httpx cannot say it)
    assert sent[0]["status"] in {400, 413}
    assert b"x-request-id" in dict(sent[0]["headers"])


async def test_the_answer_to_a_question_has_an_id_too(browser: httpx.AsyncClient) -> None:
    answer = await browser.options("/v1/users/me", headers=preflight(APP))
    assert (answer.status_code, "x-request-id" in answer.headers) == (200, True)
