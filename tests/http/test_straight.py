"""Routes that are found by their path alone."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request

from adapters.http.app import HttpConfig, create_app
from adapters.http.straight import StraightToRoute

ORIGIN = "https://accounts.example.com"


async def first(request: Request) -> str:
    return f"first {request.path_params} {request.scope['route'].path}"


async def second(request: Request) -> str:
    return f"second {request.path_params} {request.scope['route'].path}"


def make() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/v1")
    router.add_api_route("/plain", first, methods=["GET"])
    router.add_api_route("/plain", second, methods=["POST"])
    router.add_api_route("/{name}", second, methods=["GET"])
    router.add_api_route("/shadowed", first, methods=["GET"])
    app.include_router(router)
    return app


async def seen(app: FastAPI, method: str, path: str) -> tuple[int, str, str | None]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        answer = await client.request(method, path)
    return answer.status_code, answer.text, answer.headers.get("allow")


@pytest.mark.parametrize("path", ["/v1/plain", "/v1/other", "/v1/shadowed", "/v1", "/v1/plain/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_is_found_is_what_the_router_would_have_found(method: str, path: str) -> None:
    app, straight = make(), make()
    straight.router.middleware_stack = StraightToRoute(straight.router.middleware_stack, straight)
    assert await seen(straight, method, path) == await seen(app, method, path)


async def test_routes_that_come_later_are_found_too() -> None:
    app = make()
    app.router.middleware_stack = StraightToRoute(app.router.middleware_stack, app)
    assert (await seen(app, "GET", "/later"))[0] == 404
    app.add_api_route("/later", first)
    assert (await seen(app, "GET", "/later"))[0] == 200


async def test_our_own_routes_are_found_without_their_router(monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(config=HttpConfig(public_url=ORIGIN, version="test"))

    async def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(app.router.middleware_stack, "_router", never)
    assert (await seen(app, "GET", "/livez"))[0] == 200
