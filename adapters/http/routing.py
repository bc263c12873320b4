"""How every route of ours is gone through."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response

from adapters.http.idempotency import answered_once
from adapters.http.strict_json import StrictRoute
from adapters.http.throttling import throttled


class Route(StrictRoute):
    """A route that keeps to its `RoutePolicy`: throttled before anything is read, read strictly, done once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_declared(request: Request) -> Response:
            policy = request.app.state.policies[self.name]
            answer = partial(answered_once, handle=handle) if policy.idempotent else handle
            if policy.rate is None:
                return await answer(request)
            return await throttled(request, policy.rate, answer, known_devices_pass=policy.known_devices_pass)

        return handle_as_declared


class PageRoute(Route):
    """One for people and probes, whose addresses others add parameters to: what is not known is passed over."""

    strict_url = False
