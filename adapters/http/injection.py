"""How endpoints come by their use cases."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from fastapi import Depends, Request


class Container(Protocol):
    """Whatever can hand out use cases by their class."""

    def resolve[T](self, service: type[T], /) -> T: ...


def resolved[T](request: Request, service: type[T]) -> T:
    """The use case of the app that a request is for."""
    container: Container = request.app.state.container
    return container.resolve(service)


_resolvers: dict[type, Callable[[Request], Awaitable[Any]]] = {}
_services: dict[object, type] = {}


def resolver(service: type) -> Callable[[Request], Awaitable[Any]]:
    """What stands behind `injected(service)`, always the same: the key for `app.dependency_overrides`."""
    if service not in _resolvers:
        # async, since FastAPI sends plain functions to a thread.
        async def resolve(request: Request) -> object:
            return resolved(request, service)

        _resolvers[service] = resolve
        _services[resolve] = service
    return _resolvers[service]


def service_of(resolve: object) -> type | None:
    """Which service a resolver hands out; None for whatever is no resolver."""
    return _services.get(resolve)


def injected(service: type) -> Any:  # noqa: ANN401  (as Depends itself)
    """Let an endpoint's parameter be a use case.

    As in `register: Annotated[RegisterUser, injected(RegisterUser)]`.
    """
    return Depends(resolver(service))
