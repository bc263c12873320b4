"""Every route while the database is away: a refusal that says when to come back, and nothing worse (faults 1, 4, 5)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from adapters.http.app import HttpConfig, create_app
from adapters.postgres.mailbox import PostgresMailbox
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.readiness import PostgresReadiness
from application.ports.rate_limiter import ThrottlesUnavailable
from application.ports.readiness import NotReady
from application.ports.unit_of_work import DatabaseUnavailable
from domain.errors import DomainError
from domain.opaque_token import written
from tests.architecture.test_house import routes
from tests.faultproxy import Line, Way, line_to
from tests.http.conftest import ORIGIN, expect_in_contract, register, sign_in
from tests.http.requests_of_routes import FILES, SOME_REFERENCE
from tests.world import World, make_world

# Those that need nothing, or what was seen when the database was there.
INDEPENDENT = {"get_liveness", "get_config", "get_jwks", "show_change_password", "show_link", "show_problem"}
# Parse, bind, or a simple query: whatever is asked of the database next.
ANY_STATEMENT = rb"\A[PBQ]"


BODIES = {
    "refresh_session": {"refresh_token": written("rt", b"\0" * 32)},
    "revert_email_change": {"token": written("er", b"\0" * 32)},
}


@pytest.fixture(scope="module")
def whole_app() -> FastAPI:
    """With the mailbox, as in development."""
    return create_app(config=HttpConfig(public_url=ORIGIN, version="test", mailbox=True))


@dataclass
class Service:
    line: Line
    client: httpx.AsyncClient
    tokens: dict[str, str]

    async def call(self, route: APIRoute) -> httpx.Response:
        path = route.path_format.format(
            session_id=uuid4(),
            user_id=uuid4(),
            message_id=uuid4(),
            challenge_id=uuid4(),
            factor_id=uuid4(),
            reference=SOME_REFERENCE,
            import_id=uuid4(),
            name="verify-email",
            code="invalid_input",
        )
        (method,) = route.methods or {"GET"}
        body = self._body(route)
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if route.name in FILES:
            file = FILES[route.name]
            return await self.client.request(method, path, **file | {"headers": headers | file["headers"]})
        return await self.client.request(method, path, json=body, headers=headers)

    def _body(self, route: APIRoute) -> dict[str, Any] | None:
        """What the contract has as an example, with a token where that is of no use there."""
        if route.body_field is None:
            return None
        schema: Any = route.body_field.field_info.annotation
        example: dict[str, Any] = schema.model_config["json_schema_extra"]["examples"][0]
        return example | BODIES.get(route.name, {})

    async def is_well(self) -> bool:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return (await self.client.get("/v1/users/me", headers=headers)).status_code == 200


@pytest.fixture
async def service(
    postgres_world: World, database: str, whole_app: FastAPI, contract: dict[str, Any]
) -> AsyncIterator[Service]:
    async with line_to(database) as line:
        adapters = replace(
            postgres_world.adapters,
            unit_of_work=line.unit_of_work,
            rate_limiter=PostgresRateLimiter(line.engine),
            mailbox=PostgresMailbox(line.engine),
            readiness=PostgresReadiness(line.engine),
        )
        world = make_world(adapters)
        whole_app.state.container = world.container
        transport = httpx.ASGITransport(whole_app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            await register(client)
            tokens = (await sign_in(client)).json()
            await client.get("/readyz")
            # The keys that were seen are not fresh any more.
            world.clock.advance(timedelta(minutes=2))
            yield Service(line, client, tokens)


def expect_refusal(route: APIRoute, answer: httpx.Response, contract: dict[str, Any]) -> None:
    if route.name in INDEPENDENT:
        assert answer.status_code < 400, route.name
        return
    refusals: set[type[DomainError]] = {DatabaseUnavailable, ThrottlesUnavailable}
    if route.name == "get_readiness":
        refusals = {NotReady}
    assert answer.status_code == 503, route.name
    assert answer.json()["code"] in {refusal.code for refusal in refusals}, route.name
    assert int(answer.headers["retry-after"]) > 0
    expect_in_contract(contract, answer)


@pytest.mark.parametrize("happening", ["refuse", "stall"])
async def test_every_route_says_when_to_come_back_while_the_database_is_away(
    service: Service, contract: dict[str, Any], happening: str
) -> None:
    getattr(service.line.proxy, happening)()
    found = routes()
    with service.line.in_a_hurry():
        answers = await asyncio.gather(*(service.call(route) for route in found))
    for route, answer in zip(found, answers, strict=True):
        expect_refusal(route, answer, contract)
    service.line.proxy.resume()
    assert await service.is_well()


async def test_every_route_says_when_to_come_back_where_the_database_dies_under_it(
    service: Service, contract: dict[str, Any]
) -> None:
    for route in routes():
        service.line.proxy.when(Way.THERE, ANY_STATEMENT, service.line.proxy.cut)
        expect_refusal(route, await service.call(route), contract)
        service.line.proxy.forget()
        assert await service.is_well()
