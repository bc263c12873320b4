"""Endpoints that are called by a plan answer as if FastAPI had called them."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from adapters.http.injection import resolver
from adapters.http.plan import Plan
from adapters.http.routing import StrictRoute
from adapters.http.schemas.base import RequestSchema, ResponseSchema


class Said(RequestSchema):
    count: int


class Wishes(BaseModel):
    colour: str | None = None
    size: int | None = None


class Needs(BaseModel):
    colour: str
    size: int | None = 3


class Heard(ResponseSchema):
    count: int
    trail: list[str]
    nothing: str | None = None


class Trail(list[str]):
    """What was called."""


class Container:
    def __init__(self) -> None:
        self.trail = Trail()

    def resolve[T](self, _service: type[T], /) -> Any:
        return self.trail


Called = Annotated[Trail, Depends(resolver(Trail))]


async def shared(trail: Called) -> str:
    trail.append("shared")
    return "shared"


async def bounded(trail: Called, x_bound: Annotated[int, Header(ge=1)] = 1) -> int:
    trail.append("bounded")
    return x_bound


async def guarded(trail: Called, _: Annotated[str, Depends(shared)], bound: Annotated[int, Depends(bounded)]) -> int:
    trail.append("guarded")
    return bound


async def answer(
    identity: UUID,
    said: Said,
    trail: Called,
    bound: Annotated[int, Depends(guarded)],
    again: Annotated[str, Depends(shared)],
    request: Request,
    response: Response,
    afterwards: BackgroundTasks,
    limit: Annotated[int, Query(ge=1)] = 5,
) -> Heard | Response:
    """Everything at once."""
    response.headers["X-Seen"] = f"{request.method} {identity} {again} {bound}"
    if said.count == 2:
        response.status_code = 202
    afterwards.add_task(trail.append, "afterwards")
    if said.count == 3:
        return Response("plain", 418)
    return Heard(count=said.count * limit, trail=list(trail))


async def wished(wishes: Annotated[Wishes, Query()]) -> dict[str, Any]:
    return wishes.model_dump()


async def needed(needs: Annotated[Needs, Query()]) -> dict[str, Any]:
    return needs.model_dump()


async def nothing(trail: Called) -> None:
    trail.append("nothing")


def client_of(route_class: type[APIRoute]) -> tuple[httpx.AsyncClient, Container, FastAPI]:
    router = APIRouter(route_class=route_class)
    router.add_api_route("/answers/{identity:uuid}", answer, methods=["POST"], response_model=Heard, status_code=201)
    router.add_api_route(
        "/nothing", nothing, methods=["POST"], dependencies=[Depends(bounded)], status_code=204, response_class=Response
    )
    router.add_api_route("/bare", shared, methods=["GET"], response_model_exclude_none=True)
    for name, endpoint in (("/wished", wished), ("/needed", needed)):
        router.add_api_route(name, endpoint, response_model=dict[str, Any])
    app = FastAPI()
    app.state.container = container = Container()
    app.include_router(router)
    app.include_router(router, prefix="/bounded", dependencies=[Depends(bounded)])

    async def tell(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return JSONResponse([(each["type"], each["loc"]) for each in error.errors()], 422)

    app.add_exception_handler(RequestValidationError, tell)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://a.example.com"), container, app


IDENTITY = "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("POST", f"/answers/{IDENTITY}", {"json": {"count": 1}}),
        ("POST", f"/answers/{IDENTITY}?limit=7", {"json": {"count": 2}, "headers": {"X-Bound": "4"}}),
        ("POST", f"/answers/{IDENTITY}", {"json": {"count": 3}}),
        ("POST", f"/answers/{IDENTITY}", {"json": {"count": "1"}}),
        ("POST", f"/answers/{IDENTITY}?limit=0", {"json": {}, "headers": {"X-Bound": "0"}}),
        ("POST", f"/answers/{IDENTITY}", {}),
        ("POST", "/nothing", {}),
        ("POST", "/nothing", {"headers": {"X-Bound": "none"}}),
        ("GET", "/bare", {}),
        ("GET", "/wished", {}),
        ("GET", "/wished?size=4", {}),
        ("GET", "/needed", {}),
        ("GET", "/needed?colour=red", {}),
        ("GET", "/bounded/bare", {}),
        ("GET", "/bounded/bare", {"headers": {"X-Bound": "0"}}),
    ],
)
async def test_a_plan_does_what_fastapi_does(method: str, path: str, arguments: dict[str, Any]) -> None:
    async def seen(route_class: type[APIRoute]) -> object:
        client, container, _ = client_of(route_class)
        async with client:
            found = await client.request(method, path, **arguments)
        return found.status_code, dict(found.headers), found.content, list(container.trail)

    assert await seen(StrictRoute) == await seen(APIRoute)


async def test_what_is_asked_for_twice_is_called_once() -> None:
    client, container, _ = client_of(StrictRoute)
    async with client:
        await client.post(f"/answers/{IDENTITY}", json={"count": 1})
    assert container.trail == ["shared", "bounded", "guarded", "afterwards"]


async def test_dependencies_can_be_replaced() -> None:
    client, container, app = client_of(StrictRoute)

    async def replaced() -> str:
        return "replaced"

    app.dependency_overrides[shared] = replaced
    async with client:
        found = await client.post(f"/answers/{IDENTITY}", json={"count": 1})
    assert "replaced" in found.headers["X-Seen"]
    assert "shared" not in container.trail


def test_what_only_fastapi_can_do_has_no_plan() -> None:
    def plain() -> None: ...

    async def needs(_: Annotated[None, Depends(plain)]) -> None: ...

    def plan_of(call: Callable[..., Any]) -> Plan | None:
        return Plan.of(APIRoute("/", call).dependant)

    assert plan_of(needs) is None
    assert plan_of(nothing) is not None
