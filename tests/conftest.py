"""One PostgreSQL, with one migrated database, for the whole run."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres import jobs, schema
from adapters.postgres.database import open_engine
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.models import Base
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.urls import asyncpg_url
from adapters.system.randomness import SystemRandomness
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.unit_of_work import UnitOfWork
from entrypoints.telemetry import log_events
from tests.made_up import Release
from tests.redis_server import RedisServer
from tests.world import World, make_world

_FUZZ_EXAMPLES = {"short": 3, "long": 300}
_TEST_HOME = Path(__file__).parents[1] / ".hallporter" / "test"


@dataclass(frozen=True, slots=True)
class FuzzProfile:
    """How much is sent at random, and from which seed."""

    name: str
    seed: int

    @property
    def examples(self) -> int:
        """How many for each thing that is tried."""
        return _FUZZ_EXAMPLES[self.name]

    @property
    def unexpected_methods(self) -> tuple[str, ...]:
        """What else is tried at every address."""
        return ("options",) if self.name == "short" else ("get", "put", "post", "delete", "options", "patch", "trace")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", choices=[*_FUZZ_EXAMPLES], default="short", help="how much is sent at random")
    parser.addoption("--fuzz-seed", type=int, default=1, help="begin elsewhere; the same seed sends the same")


@pytest.fixture(scope="session")
def fuzz_profile(request: pytest.FixtureRequest) -> FuzzProfile:
    return FuzzProfile(name=request.config.getoption("fuzz"), seed=request.config.getoption("fuzz_seed"))


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    """No logs but where a test asks for them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))


@pytest.fixture
def world() -> World:
    """A world in memory."""
    return make_world()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server to make databases on: TEST_DATABASE_URL, or the embedded one."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield asyncpg_url(given)
    else:
        with embedded_postgres(_TEST_HOME, durable=False) as url:
            yield url


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database was made and stopped. Never used itself: see `home`."""
    home = tmp_path_factory.mktemp("made") / "home"
    with embedded_postgres(home, durable=False):
        pass
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own with an empty database: a copy, for making one takes five times as long."""
    return Path(shutil.copytree(made_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def empty_database(postgres_server: str) -> Iterator[str]:
    """The URL of a database without a schema, for tests that migrate."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def database(postgres_server: str) -> Iterator[str]:
    """The URL of a migrated database."""
    with _database(postgres_server) as url:
        asyncio.run(schema.migrate(url))
        yield url


@pytest.fixture
def blank_database(postgres_server: str) -> Iterator[str]:
    """The URL of a database of the test's own, without a schema."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def new_database(blank_database: str) -> str:
    """The URL of a migrated database of the test's own, whose schema may be changed."""
    asyncio.run(schema.migrate(blank_database))
    return blank_database


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """A release that is still to come: what migrates, migrates to it."""
    release = Release(tmp_path)
    monkeypatch.setattr(schema, "migrations_folder", lambda: release.folder)
    return release


@pytest.fixture(scope="session")
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    # As the service itself: what it may not do, no test of what it does needs (SK-06).
    role = await schema.application_role(database)
    async with open_engine(database, pool_size=25, pool_timeout=60, role=role) as engine:
        yield engine


@pytest.fixture(scope="session")
async def owner(database: str) -> AsyncIterator[AsyncEngine]:
    """What the service itself may not do, or see."""
    async with open_engine(database, pool_size=2) as engine:
        yield engine


@pytest.fixture
async def postgres_uow(engine: AsyncEngine) -> UnitOfWork:
    """The real unit of work, on tables that are empty before each test and not afterwards: failures can be read."""
    await empty(engine)
    return unit_of_work_on(engine)


def unit_of_work_on(engine: AsyncEngine) -> UnitOfWork:
    return PostgresUnitOfWork(engine, SystemRandomness(), on_commit=log_events, acted_on=JOBS_OF_EVENTS)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of the tests' own."""
    with RedisServer.running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis: RedisServer) -> str:
    """The URL of a Redis that is empty."""
    redis.say("FLUSHALL")
    return redis.url


async def empty(engine: AsyncEngine) -> None:
    """Delete every row."""
    # One batch of DELETEs: some fifty times faster than TRUNCATE on tables of a few rows.
    names = [*jobs.TABLES, *(table.name for table in reversed(Base.metadata.sorted_tables))]
    statements = ";".join(f"DELETE FROM {name}" for name in names)  # noqa: S608  (our own tables)
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute(f"SET ROLE NONE; {statements}; RESET ROLE")


class _database:  # noqa: N801  (used like a function)
    """A database with a name of its own, dropped at the end."""

    def __init__(self, server: str) -> None:
        self._server = make_url(server)
        # The name says that it may go: nothing else is ever dropped.
        self._name = f"hallporter_test_{secrets.token_hex(4)}"

    def __enter__(self) -> str:
        asyncio.run(self._run(f"CREATE DATABASE {self._name}"))
        return self._server.set(database=self._name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        asyncio.run(self._run(f"DROP DATABASE {self._name} WITH (FORCE)"))

    async def _run(self, sql: str) -> None:
        engine = create_async_engine(self._server, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(sql))
        await engine.dispose()
