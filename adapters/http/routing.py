"""How every route of ours is gone through."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import Request, Response
from starlette.types import Message, Receive

from adapters.http.idempotency import answered_once
from adapters.http.injection import Container
from adapters.http.route_policies import RoutePolicy
from adapters.http.strict_json import StrictRoute
from adapters.http.throttling import Handle, counted_by_endpoint, throttled
from application.ports.password_hasher import PasswordHasher


class Route(StrictRoute):
    """A route that keeps to its `RoutePolicy`: throttled before anything is read, read strictly, done once.

    Unless it is public, no cache keeps its answer (HD-04).
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_declared(request: Request) -> Response:
            policy: RoutePolicy = request.app.state.policies[self.name]
            answer: Handle = handle
            if policy.idempotent:
                answer = partial(answered_once, handle=answer)
            if policy.rate is not None and policy.counted_by_endpoint:
                answer = partial(counted_by_endpoint, rate=policy.rate, handle=answer)
            elif policy.rate is not None:
                known_pass = policy.known_devices_pass
                answer = partial(throttled, rate=policy.rate, handle=answer, known_devices_pass=known_pass)
            if policy.reserves_hashing:
                answer = partial(_in_place, handle=answer)
            response = await answer(request)
            if not policy.is_public:
                # There may be a token or a personal datum in it.
                response.headers.setdefault("Cache-Control", "no-store")
            return response

        return handle_as_declared


async def _in_place(request: Request, handle: Handle) -> Response:
    """The answer of `handle`, once there is a place for the password: a crowd that there is none for waits for nothing.

    Raises: HashingBusy.
    """
    # First, for whoever sends it slowly must not have a place meanwhile.
    read = Request(request.scope, _again(await request.body(), request.receive))
    container: Container = request.app.state.container
    hasher = container.resolve(PasswordHasher)  # type: ignore[type-abstract]  # it is a port
    async with hasher.reserve() as place, place.turn():
        request.state.place = place
        return await handle(read)


def _again(body: bytes, receive: Receive) -> Receive:
    """What a body that was read is received by once more."""
    told = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive_again() -> Message:
        return next(told, None) or await receive()

    return receive_again


class PageRoute(Route):
    """One for people and probes, whose addresses others add parameters to: what is not known is passed over."""

    strict_url = False
