"""How every route of ours is gone through."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from adapters.http.idempotency import answered_once
from adapters.http.injection import resolved
from adapters.http.planned_route import Handler, planned
from adapters.http.retries import retried
from adapters.http.route_policies import RoutePolicy
from adapters.http.strict_json import StrictRequest
from adapters.http.strict_url import declared, expect_plain_path, expect_strict_url
from adapters.http.throttling import counted_by_endpoint, throttled
from application.ports.password_hasher import PasswordHasher


class StrictRoute(APIRoute):
    """A route whose body, path and query are read strictly, and which is tried again where transactions collide."""

    strict_url: ClassVar[bool] = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **arguments: Any) -> None:  # noqa: ANN401  (as the method it extends)
        # Names of endpoints are unique and stable, and so are the operationIds.
        arguments["generate_unique_id_function"] = lambda route: route.name
        super().__init__(path, endpoint, **arguments)

    def get_route_handler(self) -> Handler:
        handle = planned(self, self._with_replaced_dependencies(super().get_route_handler()))
        parameters = declared(self.dependant)

        async def handle_strictly(request: Request) -> Response:
            expect_plain_path(request)
            if self.strict_url:
                expect_strict_url(request, parameters)
            strict = StrictRequest(request.scope, request.receive)
            return await retried(lambda: handle(strict))

        return handle_strictly

    def _with_replaced_dependencies(self, handle: Handler) -> Handler:
        """The same, that calls what `app.dependency_overrides` says: our routes do not know their app in advance."""

        async def handle_as_replaced(request: Request) -> Response:
            if not request.app.dependency_overrides:
                return await handle(request)
            route = copy.copy(self)
            route.dependency_overrides_provider = request.app
            return await APIRoute.get_route_handler(route)(request)

        return handle_as_replaced


class Route(StrictRoute):
    """A route that keeps to its `RoutePolicy`: throttled before anything is read, read strictly, done once.

    Unless it is public, no cache keeps its answer (HD-04).
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def handle_as_declared(request: Request) -> Response:
            policy: RoutePolicy = request.app.state.policies[self.name]
            answer = handle
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


async def _in_place(request: Request, handle: Handler) -> Response:
    """The answer of `handle`, once there is a place for the password: a crowd that there is none for waits for nothing.

    Raises: HashingBusy.
    """
    # First, for whoever sends it slowly must not have a place meanwhile.
    read = Request(request.scope, _again(await request.body(), request.receive))
    hasher = resolved(request, PasswordHasher)  # type: ignore[type-abstract]  # it is a port
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
