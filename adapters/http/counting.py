"""Counting requests, for whoever watches."""

import time
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send


class RequestCounts(Protocol):
    """Is told of every request, by the name of its route and never by its path."""

    def request_begun(self) -> None:
        """One more is being answered."""
        ...

    def request_done(self, operation: str | None, status: int | None, seconds: float, throttle: str | None) -> None:
        """One has been answered, or given up: then without a status.

        `operation` is None where no route was found; `throttle` is what was used up where that was why.
        """
        ...


class CountedRequests:
    """Stands outside of everything, so that what is refused at the door counts too; `RequestContext` notes how."""

    def __init__(self, app: ASGIApp, *, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._counts.request_begun()
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, send)
        finally:
            seconds, state = time.perf_counter() - begun, scope.get("state", {})
            operation = getattr(scope.get("route"), "name", None)
            self._counts.request_done(operation, state.get("status"), seconds, state.get("throttle"))
