"""Counting requests, for whoever watches."""

import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
    """Stands outside of everything, so that what is refused at the door counts too."""

    def __init__(self, app: ASGIApp, *, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._counts.request_begun()
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._counts.request_done(
                getattr(scope.get("route"), "name", None),
                status,
                time.perf_counter() - begun,
                scope.get("state", {}).get("throttle"),
            )
