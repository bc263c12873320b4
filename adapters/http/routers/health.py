"""Probes."""

from typing import Annotated

from fastapi import APIRouter

from adapters.http.documentation import responses
from adapters.http.injection import injected
from adapters.http.routing import PageRoute
from adapters.http.schemas.health import HealthResponse
from application.ports.readiness import NotReady, Readiness

router = APIRouter(tags=["health"], route_class=PageRoute)


@router.get("/livez", responses=responses("get_liveness"))
async def get_liveness() -> HealthResponse:
    """The process is running. Says nothing about the database."""
    return HealthResponse()


@router.get("/readyz", responses=responses("get_readiness", NotReady))
async def get_readiness(readiness: Annotated[Readiness, injected(Readiness)]) -> HealthResponse:
    """Requests can be served: the database answers and has every migration."""
    if problems := await readiness.problems():
        raise NotReady(problems)
    return HealthResponse()
