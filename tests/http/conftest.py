"""The real app, over HTTP, on memory and on PostgreSQL."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.keyed_hash import HmacKeyedHash
from adapters.crypto.password_transfer import SealingPasswordTransfer
from adapters.crypto.sealing import Sealer
from adapters.crypto.secret_sealer import AesSecretSealer
from adapters.crypto.token_sealer import AesTokenSealer
from adapters.http.app import HttpConfig, create_app
from adapters.http.problems import MEDIA_TYPE
from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.device_namer import MemoryDeviceNamer
from adapters.memory.mailer import MemoryMailer
from adapters.postgres.jobs import open_queue
from adapters.postgres.mailbox import PostgresMailbox
from adapters.postgres.rate_limiter import PostgresRateLimiter
from adapters.postgres.readiness import PostgresReadiness
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from adapters.webauthn.passkeys import WebAuthnPasskeys
from application.config.show_config import Locales
from application.ports.unit_of_work import UnitOfWork
from domain.users.roles import ADMIN
from entrypoints.adapters import Adapters
from tests.world import EMAIL, PASSWORD, SETTINGS, World, make_world

ORIGIN = SETTINGS.public_url


@pytest.fixture
def memory_world() -> World:
    return make_world()


@pytest.fixture
def postgres_world(engine: AsyncEngine, postgres_uow: UnitOfWork, database: str) -> Iterator[World]:
    with postgres_adapters(engine, postgres_uow, database) as adapters:
        yield make_world(adapters)


@contextmanager
def postgres_adapters(engine: AsyncEngine, unit_of_work: UnitOfWork, database: str) -> Iterator[Adapters]:
    root_key = b"root key of the tests"
    sealer = Sealer(root_key)
    hasher = Argon2PasswordHasher(sealer, memory_kib=8, iterations=1)
    yield Adapters(
        unit_of_work=unit_of_work,
        secret_sealer=AesSecretSealer(sealer),
        keyed_hash=HmacKeyedHash(root_key),
        passkeys=WebAuthnPasskeys(rp_id="example.com", rp_name="Example", origins=[ORIGIN]),
        mailer=MemoryMailer(),
        mailbox=PostgresMailbox(engine),
        locales=Locales(("de", "en")),
        open_queue=partial(open_queue, database),
        rate_limiter=PostgresRateLimiter(engine),
        passwords=hasher,
        password_transfer=SealingPasswordTransfer(sealer),
        signer=JoseTokenSigner(sealer),
        token_sealer=AesTokenSealer(),
        devices=MemoryDeviceNamer(),
        emails=StrictEmailParser(),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        readiness=PostgresReadiness(engine),
    )
    hasher.close()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


OTHER_HOST = "evil.example.com"
"""A host by which we may be called too, and which must get into nothing nevertheless."""
CONFIG = HttpConfig(public_url=ORIGIN, version="test", allowed_hosts=(OTHER_HOST,))


@pytest.fixture(scope="session")
def shared_app() -> FastAPI:
    """One app for all: putting its routes together takes longer than most tests."""
    return create_app(config=CONFIG)


@pytest.fixture(scope="session")
def contract(shared_app: FastAPI) -> dict[str, Any]:
    return shared_app.openapi()


@pytest.fixture
def app(shared_app: FastAPI, world: World) -> Iterator[FastAPI]:
    shared_app.state.container = world.container
    yield shared_app
    shared_app.dependency_overrides.clear()


@pytest.fixture
async def client(app: FastAPI, contract: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client that fails the test on any answer that the OpenAPI document does not have."""

    async def expect_documented(response: httpx.Response) -> None:
        await response.aread()
        expect_in_contract(contract, response)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=ORIGIN,
        event_hooks={"response": [expect_documented]},
    ) as client:
        yield client


def expect_in_contract(contract: dict[str, Any], response: httpx.Response) -> None:
    path, method = response.request.url.path, response.request.method.lower()
    # The path itself before one with parameters, as the router decides.
    templates = sorted(contract["paths"], key=lambda template: "{" in template)
    fitting = (template for template in templates if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path))
    operation = next((contract["paths"][template].get(method) for template in fitting), None)
    if operation is None:
        return
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{operation['operationId']} does not document {response.status_code}"
    if response.status_code >= 400:
        assert response.headers["content-type"] == MEDIA_TYPE
        codes = documented["content"][MEDIA_TYPE]["examples"]
        assert response.json()["code"] in codes, f"{operation['operationId']} does not document the code"
    for header, description in documented.get("headers", {}).items():
        assert not description["required"] or header in response.headers


async def register(client: httpx.AsyncClient, email: str = EMAIL, **fields: object) -> httpx.Response:
    return await client.post("/v1/users", json={"email": email, "password": PASSWORD} | fields)


async def sign_in(client: httpx.AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/v1/sessions", json={"email": email, "password": password})


async def signed_in(client: httpx.AsyncClient, email: str = EMAIL) -> dict[str, str]:
    """The headers of somebody who has registered and signed in."""
    assert (await register(client, email)).status_code == 201
    token = (await sign_in(client, email)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def at_once(count: int, make: Any) -> list[httpx.Response]:
    """The answers to `count` requests that start together."""
    barrier = asyncio.Barrier(count)

    async def one(number: int) -> httpx.Response:
        await barrier.wait()
        answer: httpx.Response = await make(number)
        return answer

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def make_admin(world: World, email: str = EMAIL) -> None:
    """Let the user be an operator from now on."""
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.get((await world.user(email)).id)
        user.roles = frozenset({ADMIN})
        await tx.users.save(user)
