"""What is measured against each other, on one machine and one PostgreSQL of its own."""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg  # type: ignore[import-untyped]  # it has no stubs
import psutil
from sqlalchemy import make_url

from adapters.postgres.embedded import embedded_postgres
from benchmarks.processes import Server, ask, free_port, processor_seconds, serving
from entrypoints.throttle_settings import ThrottleSettings

HALLPORTER = [sys.executable, "-c", "from entrypoints.cli import main; main()"]
# One network asks for everything here, and nothing of that is a guess. What is counted comes back as slowly as ever: if
# it came back at once, there would be less to be written down.
_PLENTY = {name.upper(): "1000000/9999days" for name in ThrottleSettings.model_fields if name.startswith("limit_")}

type Limit = Literal["bare Starlette", "bare ASGI"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long and how much is measured."""

    rounds: int
    seconds: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A folder, a PostgreSQL in it, and servers for as long as both are there."""

    folder: Path
    postgres: str
    secret_key: str
    _shared: ExitStack
    _servers: dict[str, Server]

    @property
    def hallporter(self) -> Server:
        """Hallporter, shared by all scenarios that need none of their own."""
        if "Hallporter" not in self._servers:
            running = self.serving_hallporter(self.database("shared"))
            self._servers["Hallporter"] = self._shared.enter_context(running)
        return self._servers["Hallporter"]

    @property
    def has_shared_hallporter(self) -> bool:
        """Whether any scenario has asked for it."""
        return "Hallporter" in self._servers

    def limit(self, name: Limit) -> Server:
        """The same work beside `hallporter`, on its database and for its tokens."""
        if name not in self._servers:
            hallporter = self.hallporter
            self._servers[name] = self._shared.enter_context(self.serving_limit(name, hallporter, self.url("shared")))
        return self._servers[name]

    def database(self, name: str) -> str:
        """The URL of a new database."""
        self.execute("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database, as `DATABASE_URL` has it."""
        return make_url(self.postgres).set(drivername="postgresql", database=name).render_as_string()

    def execute(self, database: str, *statements: str) -> None:
        """Run statements, each by itself, as the owner of everything."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database))
            for statement in statements:
                await connection.execute(statement)
            await connection.close()

        asyncio.run(run())

    def database_processor_seconds(self) -> float:
        """Processor time that PostgreSQL has taken so far."""
        pid = (self.folder / "postgres" / "postgres" / "postmaster.pid").read_text().split()[0]
        return processor_seconds(psutil.Process(int(pid)))

    def settings(self, database: str) -> dict[str, str]:
        """Everything as it is by default, but that nothing is too much, and tokens last for the whole run."""
        return {
            "DATABASE_URL": database,
            "SECRET_KEY": self.secret_key,
            "HALLPORTER_HOME": str(self.folder / "home"),
            "ACCESS_TOKEN_LIFETIME_SECONDS": "3600",
            "LOG_FORMAT": "json",
            **_PLENTY,
        }

    @contextmanager
    def serving_hallporter(self, database: str, name: str = "Hallporter") -> Iterator[Server]:
        """Hallporter as `serve` starts it, with one process, and without the worker that acts on what has happened."""
        port = free_port()
        command = [*HALLPORTER, "serve", "--no-worker", "--port", str(port)]
        with serving(name, command, port=port, settings=self.settings(database), folder=self.folder) as server:
            yield server

    @contextmanager
    def serving_limit(self, name: Limit, hallporter: Server, database: str) -> Iterator[Server]:
        """The bare work, served by the same server with the same event loop and the same parser."""
        _, keys = ask(hallporter.port, "GET", "/.well-known/jwks.json")
        port = free_port()
        module = "benchmarks.servers." + {"bare Starlette": "bare_starlette", "bare ASGI": "bare_asgi"}[name]
        command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--no-access-log"]
        command += ["--loop", "uvloop", "--http", "httptools", "--no-server-header", "--no-proxy-headers"]
        settings: Mapping[str, str] = {
            "BARE_DATABASE_URL": database,
            "BARE_ISSUER": hallporter.address,
            "BARE_KEYS": json.dumps(keys),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        with serving(name, command, port=port, settings=settings, folder=self.folder) as server:
            yield server


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """A lab in an empty folder, with nothing in it yet."""
    with embedded_postgres(folder / "postgres") as postgres, ExitStack() as shared:
        yield Lab(folder=folder, postgres=postgres, secret_key=secrets.token_urlsafe(48), _shared=shared, _servers={})
