"""Probes."""

from typing import Annotated

import structlog
from fastapi import APIRouter
from fastapi.routing import APIRoute

from adapters.http.documentation import responses
from adapters.http.injection import injected
from adapters.http.routing import PageRoute
from adapters.http.schemas.health import HealthResponse
from application.ports.readiness import NotReady, Readiness

_log = structlog.get_logger("hallporter.http")

router = APIRouter(tags=["health"], route_class=PageRoute)


@router.get("/livez", responses=responses("get_liveness"))
async def get_liveness() -> HealthResponse:
    """The process is running. Says nothing about the database."""
    return HealthResponse()


@router.get("/readyz", responses=responses("get_readiness", NotReady))
async def get_readiness(readiness: Annotated[Readiness, injected(Readiness)]) -> HealthResponse:
    """The database answers and has every migration, and the process's own worker lives. Why not says the log alone."""
    if problems := await readiness.problems():
        # What we lack is nobody's business who can call us (AP-06).
        _log.warning("readiness.missing", problems=list(problems))
        raise NotReady
    return HealthResponse()


PROBES = frozenset(route.path for route in router.routes if isinstance(route, APIRoute))
"""Where machines ask by the clock, and by address."""
