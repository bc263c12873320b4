"""How often an operation waits for PostgreSQL, and what is loaded before the first of them."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from adapters.http.app import create_app
from adapters.postgres import schema
from application.ports.unit_of_work import UnitOfWork
from benchmarks.processes import clean_environment
from benchmarks.round_trips import RoundTrips, counted
from benchmarks.scenarios.counting import TARGETS
from entrypoints.adapters import open_adapters
from entrypoints.container import build_container
from entrypoints.service import http_config
from tests.world import DEFAULTS, PASSWORD

# BEGIN and COMMIT are among them. `TARGETS` is where they shall come to: whoever gets nearer lowers these.
MOST = {"register": 3, "sign in": 4, "refresh": 2, "who am I": 1}
# The first time, the connection is opened and statements are prepared.
WARM_UP = 3


@pytest.fixture
async def counted_client(
    database: str, postgres_uow: UnitOfWork
) -> AsyncIterator[tuple[httpx.AsyncClient, RoundTrips]]:
    """A client of the app as it is shipped, and what the app asks of PostgreSQL."""
    key = SecretStr("k9-Zr4TqLw1_Xb7NcVy2MdHs8PfGj5Ka0EuRo3")
    settings = DEFAULTS.model_copy(
        update={"secret_key": key, "database_pool_size": 1, "password_hash_memory_kib": 8, "worker": False}
    )
    role = await schema.application_role(database)
    async with counted(database) as (trips, url), open_adapters(settings, url, role=role) as adapters:
        app = create_app(build_container(settings, adapters), config=http_config(settings))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client:
            yield client, trips


async def test_nobody_waits_for_the_database_more_often_than_now(
    counted_client: tuple[httpx.AsyncClient, RoundTrips],
) -> None:
    client, trips = counted_client
    told: dict[str, str] = {}
    operations: Mapping[str, Callable[[int], Awaitable[httpx.Response]]] = {
        "register": lambda number: client.post("/v1/users", json=person(number)),
        "sign in": lambda number: client.post("/v1/sessions", json=person(number)),
        "refresh": lambda _: client.post("/v1/sessions/refresh", json={"refresh_token": told["refresh_token"]}),
        "who am I": lambda _: client.get("/v1/users/me", headers={"Authorization": f"Bearer {told['access_token']}"}),
    }
    assert set(operations) == set(MOST) == set(TARGETS)
    for name, operation in operations.items():
        for number in range(WARM_UP):
            trips.seen.clear()
            answer = await operation(number)
            assert answer.is_success, answer.text
            told |= {field: value for field, value in answer.json().items() if field.endswith("_token")}
        assert 0 < len(trips.seen) <= MOST[name], "\n".join([name, *trips.seen])


async def test_who_is_calling_is_asked_once_and_by_nothing_else(
    counted_client: tuple[httpx.AsyncClient, RoundTrips],
) -> None:
    client, trips = counted_client
    await client.post("/v1/users", json=person(0))
    token = (await client.post("/v1/sessions", json=person(0))).json()["access_token"]
    for _ in range(WARM_UP):
        trips.seen.clear()
        assert (await client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})).status_code == 200
    (statement,) = trips.seen
    assert statement.startswith("SELECT")
    assert "JOIN users" in statement


def person(number: int) -> dict[str, str]:
    return {"email": f"person{number}@example.com", "password": PASSWORD}


# Whatever else is installed is loaded when it is needed first, if ever: each takes time and memory of every start.
LOADED_AT_START = {
    *("annotated_doc", "annotated_types", "anyio", "argon2", "asyncpg", "croniter", "cryptography"),
    *("cython_runtime", "dateutil", "dotenv", "fastapi", "greenlet", "joserfc", "opentelemetry", "pgqueuer", "punq"),
    *("pydantic", "pydantic_core", "pydantic_settings", "sqlalchemy", "starlette", "structlog", "typing_extensions"),
    "typing_inspection",
}


# What reads commands and listens stands before it; with `serve` both are one process.
LOADED_BY_SERVE = LOADED_AT_START | {"click", "httptools", "shellingham", "typer", "uvicorn"}


@pytest.mark.parametrize(
    ("module", "known"), [("entrypoints.api", LOADED_AT_START), ("entrypoints.cli", LOADED_BY_SERVE)]
)
def test_nothing_loads_another_library_than_now(module: str, known: set[str], tmp_path: Path) -> None:
    print_loaded = f"import {module}, sys, json; print(json.dumps(sorted({{*sys.modules}})))"
    ran = subprocess.run(
        [sys.executable, "-c", print_loaded],
        check=True,
        cwd=tmp_path,
        env=clean_environment({"HALLPORTER_HOME": str(tmp_path)}),
        capture_output=True,
    )
    modules = json.loads(ran.stdout)
    # FastAPI loads their API; of what sends traces nothing is loaded where they are off.
    assert not {"opentelemetry.sdk", "opentelemetry.exporter"}.intersection(modules)
    loaded = {name.partition(".")[0] for name in modules}
    assert {"fastapi", "sqlalchemy"} < loaded
    ours = {"adapters", "application", "domain", "entrypoints"}
    foreign = {name for name in loaded if not name.startswith("_")} - sys.stdlib_module_names - ours
    assert sorted(foreign - known) == []
