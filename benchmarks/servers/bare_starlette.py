"""The work in Starlette: routes and responses, and nothing of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.servers.bare_work import Work

_work = Work()


@asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    await _work.open()
    yield
    await _work.close()


async def _alive(_request: Request) -> Response:
    return Response()


async def _me(request: Request) -> Response:
    return _answer(await _work.me(request.headers["authorization"]))


async def _users(request: Request) -> Response:
    return _answer(await _work.users(request.headers["authorization"]))


async def _refresh(request: Request) -> Response:
    return _answer(await _work.refresh(await request.body()))


def _answer(body: bytes | None) -> Response:
    return Response(body, media_type="application/json") if body is not None else Response(status_code=401)


app = Starlette(
    routes=[
        Route("/livez", _alive),
        Route("/v1/users/me", _me),
        Route("/v1/admin/users", _users),
        Route("/v1/sessions/refresh", _refresh, methods=["POST"]),
    ],
    lifespan=_lifespan,
)
