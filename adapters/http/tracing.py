"""Tracing requests, for whoever watches."""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.routers.health import PROBES

_TRACEPARENT = b"traceparent"


class TracedRequest(Protocol):
    """A request that is being answered."""

    def answered(self, *, route: str | None, status: int | None, request_id: UUID | None) -> None:
        """Say at its end what is known by then. `route` is a template, and None where none was found."""
        ...


class RequestTraces(Protocol):
    """Follows requests to their end, and whatever is done meanwhile."""

    def request(self, method: str, traceparent: str | None) -> AbstractContextManager[TracedRequest]:
        """The block answers a request; `traceparent` is the span of the caller that it belongs to."""
        ...


class TracedRequests:
    """Stands outside of everything. Probes are left out: they come by the clock, and have nothing to tell.

    Which trace a request belongs to is the caller's to say only where we are told to believe that (`join_callers`):
    a stranger could otherwise add to the traces of others, and decide what is kept.
    """

    def __init__(self, app: ASGIApp, *, traces: RequestTraces, join_callers: bool) -> None:
        self._app = app
        self._traces = traces
        self._join_callers = join_callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        with self._traces.request(scope["method"], _traceparent(scope) if self._join_callers else None) as request:
            try:
                await self._app(scope, receive, send)
            finally:
                state = scope.get("state", {})
                request.answered(route=_template(scope), status=state.get("status"), request_id=state.get("request_id"))


def _traceparent(scope: Scope) -> str | None:
    """The header, where there is exactly one: of two, somebody else may have read the other."""
    given = [value for name, value in scope["headers"] if name == _TRACEPARENT]
    return given[0].decode("latin-1") if len(given) == 1 else None


def _template(scope: Scope) -> str | None:
    """As OpenAPI has it, and never the path itself: that holds ids, and whatever a stranger cares to type."""
    return getattr(scope.get("route"), "path_format", None)
