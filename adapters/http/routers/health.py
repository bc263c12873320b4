"""Probes, and the pages that problems point to."""

from html import escape
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from adapters.http.injection import injected
from adapters.http.problems import ROUTE_NOT_FOUND, RefusedByHttp, all_codes, responses
from adapters.http.schemas.health import HealthResponse
from application.ports.readiness import NotReady, Readiness

router = APIRouter(tags=["health"])


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


@router.get("/problems/{code}", include_in_schema=False)
async def show_problem(code: str) -> HTMLResponse:
    """What a problem's `type` leads to."""
    found = all_codes().get(code)
    if found is None:
        raise RefusedByHttp(ROUTE_NOT_FOUND)
    title, status, explanation = found
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1>"
        f"<p>Code <code>{escape(code)}</code>, status {status}.<p>{escape(explanation)}</html>"
    )
