"""AD-01: what holds for a route is declared, in one place, and nothing else is done."""

import asyncio
import re
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI

from adapters.http.authentication import get_admin, get_current_user, get_recent_user
from adapters.http.documentation import responses
from adapters.http.idempotency import claim_for_anyone
from adapters.http.route_checks import UndeclaredRoute, access_of, expect_declared, routes_of
from adapters.http.route_policies import ROUTE_POLICIES, Access, RoutePolicy
from adapters.http.routing import Route
from application.throttling.throttle_policy import Rate
from domain.sessions.principal import Principal
from entrypoints.service import make_app as make_service
from tests.architecture.test_house import make_app, routes
from tests.world import SETTINGS

FREE = RoutePolicy(access=Access.ANYONE)


@pytest.fixture
def app() -> FastAPI:
    return make_app()


def add_route(app: FastAPI, router: APIRouter | None = None) -> None:
    router = router or APIRouter(route_class=Route)

    @router.get("/extra")
    async def get_extra() -> None: ...

    app.include_router(router)


def test_every_declared_route_exists_and_every_route_is_declared(app: FastAPI) -> None:
    names = [getattr(route, "name", None) for route in routes_of(app)]
    assert sorted(map(str, names)) == sorted(ROUTE_POLICIES)


def test_a_route_that_is_not_declared_stops_the_start(app: FastAPI) -> None:
    add_route(app)
    with pytest.raises(UndeclaredRoute, match="the route get_extra is not declared"):
        expect_declared(app)
    app.state.policies["get_extra"] = FREE
    expect_declared(app)


def test_so_does_one_that_somebody_else_adds_to_the_service() -> None:
    app = make_service(SETTINGS)
    add_route(app)

    async def start() -> None:
        async with app.router.lifespan_context(app):
            pass

    with pytest.raises(UndeclaredRoute, match="get_extra"):
        asyncio.run(start())


def test_the_document_has_routes_of_ones_own(app: FastAPI) -> None:
    router = APIRouter(route_class=Route)
    policies = app.state.policies
    policies["get_extra"] = RoutePolicy(access=Access.ANYONE, rate=Rate.MAIL)

    @router.get("/extra", responses=responses("get_extra", policies=policies))
    async def get_extra() -> None: ...

    app.include_router(router)
    expect_declared(app)
    answers = app.openapi()["paths"]["/extra"]["get"]["responses"]
    assert "RateLimit" in answers["200"]["headers"]
    assert "429" in answers


def test_nobody_claims_a_key_among_those_of_others(app: FastAPI) -> None:
    router = APIRouter(route_class=Route)

    @router.post("/extra", dependencies=[Depends(get_recent_user), Depends(claim_for_anyone)])
    async def make_extra() -> None: ...

    app.include_router(router)
    app.state.policies["make_extra"] = RoutePolicy(access=Access.RECENT_USER, idempotent=True)
    with pytest.raises(UndeclaredRoute, match="for somebody else"):
        expect_declared(app)


def test_no_route_hides_behind_the_name_of_another(app: FastAPI) -> None:
    router = APIRouter(route_class=Route)
    router.delete("/everything", name="get_config")(lambda: None)
    app.include_router(router)
    with pytest.raises(UndeclaredRoute, match="two routes are called get_config"):
        expect_declared(app)


@pytest.mark.parametrize("place", ["included twice", "mounted"])
def test_no_way_of_adding_a_route_goes_unseen(app: FastAPI, place: str) -> None:
    if place == "mounted":
        app.mount("/sub", FastAPI())
    else:
        outer = APIRouter()
        inner = APIRouter(route_class=Route)
        inner.get("/deep", name="get_deep")(lambda: None)
        outer.include_router(inner)
        app.include_router(outer, prefix="/outer")
    with pytest.raises(UndeclaredRoute):
        expect_declared(app)


@pytest.mark.parametrize("declared", [access for access in Access if access is not Access.USER])
def test_a_route_that_asks_for_somebody_else_than_declared_stops_the_start(app: FastAPI, declared: Access) -> None:
    router = APIRouter(route_class=Route)

    @router.get("/extra")
    async def get_extra(caller: Annotated[Principal, Depends(get_current_user)]) -> None: ...

    app.include_router(router)
    app.state.policies["get_extra"] = RoutePolicy(access=declared)
    with pytest.raises(UndeclaredRoute, match="its dependencies ask for user"):
        expect_declared(app)
    app.state.policies["get_extra"] = RoutePolicy(access=Access.USER)
    expect_declared(app)


@pytest.mark.parametrize(("dependency", "access"), [(get_admin, Access.ADMIN), (get_recent_user, Access.RECENT_USER)])
def test_the_strictest_dependency_counts(dependency: object, access: Access) -> None:
    router = APIRouter(route_class=Route)

    @router.get("/extra", dependencies=[Depends(dependency)])  # type: ignore[arg-type]
    async def get_extra() -> None: ...

    assert access_of(router.routes[0]) is access


def test_a_bounded_route_is_made_so_that_it_can_be(app: FastAPI) -> None:
    add_route(app, APIRouter())
    app.state.policies["get_extra"] = RoutePolicy(access=Access.ANYONE, rate=Rate.MAIL)
    with pytest.raises(UndeclaredRoute, match="route_class=Route"):
        expect_declared(app)


def test_incident_22_every_route_that_takes_something_to_guess_or_writes_for_strangers_is_bounded() -> None:
    """DA-01."""
    for route in routes():
        policy = ROUTE_POLICIES[route.name]
        changes = not (route.methods or set()) <= {"GET", "HEAD"}
        if changes and policy.access in {Access.ANYONE, Access.ANYONE_OR_USER}:
            assert policy.rate is not None, route.name
        fields = getattr(route.body_field, "field_info", None)
        names = set(getattr(getattr(fields, "annotation", None), "model_fields", {}))
        # Whom operators make has no password yet that could be guessed.
        if {name for name in names if re.search(r"password|code", name)} and route.name != "create_user":
            assert policy.is_bounded, route.name


def test_la_01_every_route_that_changes_something_says_what_is_written_down() -> None:
    silent = {"refresh_session", "introspect_token", "look_up_user", "verify_audit_log"}
    # A question is nothing yet.
    silent |= {"ask_for_passkey", "ask_for_passkey_proof", "offer_passkey"}
    # Reading that is itself written down.
    watched = {"get_sign_in_attempt", "list_audit_entries", "get_users_export"}
    for route in routes():
        changes = not (route.methods or set()) <= {"GET", "HEAD"}
        written = route.name in watched or (changes and route.name not in silent)
        assert (ROUTE_POLICIES[route.name].event is not None) is written, route.name
