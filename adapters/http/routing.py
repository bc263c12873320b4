"""How every route of ours is gone through."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from adapters.http.strict_json import StrictRoute
from adapters.http.throttling import throttled


class Route(StrictRoute):
    """A route that keeps to its `RoutePolicy`: throttled before anything is read, and read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_declared(request: Request) -> Response:
            rate = request.app.state.policies[self.name].rate
            return await (handle(request) if rate is None else throttled(request, rate, handle))

        return handle_as_declared
