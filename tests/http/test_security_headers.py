"""Headers that browsers mind, on every answer (HD-04)."""

import httpx
import pytest
from fastapi import FastAPI

from adapters.http.app import HttpConfig, create_app
from adapters.http.injection import resolver
from application.users.register_user import RegisterUser
from tests.architecture.test_house import routes
from tests.http.conftest import register
from tests.world import EMAIL, PASSWORD, World

EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}


@pytest.fixture
def world(memory_world: World) -> World:
    return memory_world


def expect_them(answer: httpx.Response) -> None:
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("route", routes(), ids=lambda route: str(route.name))
async def test_hd_04_every_route_answers_with_them_whatever_it_answers(
    client: httpx.AsyncClient, route: object
) -> None:
    path, (method, *_) = getattr(route, "path", ""), sorted(getattr(route, "methods", ()))
    expect_them(await client.request(method, path.replace("{", "").replace("}", "")))


async def test_hd_04_so_do_successes_refusals_and_what_nobody_has_caught(
    client: httpx.AsyncClient, app: FastAPI
) -> None:
    expect_them(await register(client))
    expect_them(await register(client))
    expect_them(await client.get("/v1/nowhere"))
    expect_them(await client.put("/livez"))
    expect_them(await client.post("/v1/users", content=b"{" * 70_000, headers={"Content-Type": "application/json"}))

    class Broken:
        async def execute(self, **_: object) -> None:
            raise RuntimeError

    app.dependency_overrides[resolver(RegisterUser)] = Broken
    broken = await client.post("/v1/users", json={"email": EMAIL, "password": PASSWORD})
    assert broken.status_code == 500
    expect_them(broken)


async def test_a_service_without_tls_does_not_ask_for_it() -> None:
    origin = "http://127.0.0.1:8000"
    app = create_app(config=HttpConfig(public_url=origin, version="test"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin) as client:
        answer = await client.get("/livez")
        docs = await client.get("/docs")
    assert "strict-transport-security" not in answer.headers
    assert "content-security-policy" not in docs.headers, "its page loads a script and a style from elsewhere"
    assert docs.headers["x-content-type-options"] == "nosniff"
