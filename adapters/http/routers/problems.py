"""`/problems`: the pages that the `type` of a problem leads to."""

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from adapters.http.problems import all_codes
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.routing import PageRoute

router = APIRouter(tags=["problems"], include_in_schema=False, route_class=PageRoute)


@router.get("/problems/{code}")
async def show_problem(code: str) -> HTMLResponse:
    """What a problem's `type` leads to."""
    found = all_codes().get(code)
    if found is None:
        raise RefusedByHttp(Refusal.ROUTE_NOT_FOUND)
    title, status, explanation = found
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1>"
        f"<p>Code <code>{escape(code)}</code>, status {status}.<p>{escape(explanation)}</html>"
    )
