"""Whether every route does what is declared of it."""

from collections.abc import Iterator, Mapping, Sequence

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from adapters.http.authentication import (
    get_admin,
    get_current_user,
    get_optional_user,
    get_recent_admin,
    get_recent_user,
)
from adapters.http.idempotency import claim_for_anyone, claim_for_recent_admin, claim_for_recent_user
from adapters.http.limits import BodyLimit
from adapters.http.plan import within
from adapters.http.route_policies import Access, RoutePolicy
from adapters.http.routing import Route

# The strictest first, for it depends on others.
_ASKING: Mapping[object, Access] = {
    get_recent_admin: Access.RECENT_ADMIN,
    get_admin: Access.ADMIN,
    get_recent_user: Access.RECENT_USER,
    get_current_user: Access.USER,
    get_optional_user: Access.ANYONE_OR_USER,
}
# Whose keys they are: those of one user are not another's.
_CLAIMS: Mapping[Access, object] = {
    Access.ANYONE: claim_for_anyone,
    Access.RECENT_USER: claim_for_recent_user,
    Access.RECENT_ADMIN: claim_for_recent_admin,
}


class UndeclaredRoute(RuntimeError):
    """A bug: a route does not say what holds for it, or does something else."""


def routes_of(app: FastAPI) -> Iterator[BaseRoute]:
    """Every route of the app, those of included routers among them."""
    yield from _walk(app.routes)


def _walk(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from _walk(included.routes)


def larger_bodies(app: FastAPI) -> Mapping[tuple[str, str], BodyLimit]:
    """The routes that take more than others, by method and path, which has no parameters there."""
    policies: Mapping[str, RoutePolicy] = app.state.policies
    return {
        (method, route.path): limit
        for route in routes_of(app)
        if isinstance(route, APIRoute) and (limit := policies[route.name].body) is not None
        for method in route.methods or ()
    }


def expect_declared(app: FastAPI) -> None:
    """Make sure that every route does what is declared of it in `app.state.policies`.

    Raises: UndeclaredRoute.
    """
    policies: Mapping[str, RoutePolicy] = app.state.policies
    seen: set[str] = set()
    for route in routes_of(app):
        name = getattr(route, "name", None) or repr(route)
        if name in seen:
            message = f"two routes are called {name}: what is declared is declared for one"
            raise UndeclaredRoute(message)
        seen.add(name)
        policy = policies.get(name)
        if policy is None:
            message = f"the route {name} is not declared: add a RoutePolicy for it to app.state.policies"
            raise UndeclaredRoute(message)
        asks = access_of(route)
        if asks is not policy.access:
            message = f"the route {name} is declared for {policy.access} and its dependencies ask for {asks}"
            raise UndeclaredRoute(message)
        claims = _called_by(route) & set(_CLAIMS.values())
        if claims != ({_CLAIMS.get(policy.access)} if policy.idempotent else set()):
            message = f"the route {name} claims an idempotency key otherwise than as declared, or for somebody else"
            raise UndeclaredRoute(message)
        if (policy.rate is not None or policy.idempotent) and not isinstance(route, Route):
            message = f"the route {name} is declared to be bounded: make its router with route_class=Route"
            raise UndeclaredRoute(message)


def access_of(route: BaseRoute) -> Access:
    """Whom the route's dependencies let through."""
    called = _called_by(route)
    return next((access for dependency, access in _ASKING.items() if dependency in called), Access.ANYONE)


def _called_by(route: BaseRoute) -> set[object]:
    return {each.call for each in within(route.dependant)} if isinstance(route, APIRoute) else set()
