"""A primary and its standby, both real, on this machine: for what happens when the one is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url

from adapters.postgres.embedded import embedded_server
from adapters.postgres.own_server import DATABASE, USER, OwnServer
from adapters.postgres.urls import asyncpg_url

_IS_IN_STEP = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"


@dataclass(frozen=True, slots=True)
class Pair:
    """What is acknowledged is on the standby too."""

    primary: OwnServer
    standby: OwnServer

    @property
    def url(self) -> str:
        """For settings: both of them, the primary first."""
        hosts = ",".join(quote(folder_of(server), safe="/") for server in (self.primary, self.standby))
        return f"postgresql://{USER}@/{DATABASE}?host={hosts}"

    def kill_primary(self) -> None:
        """Have it die with all that it has in its hands."""
        self.primary._run("pg_ctl", "stop", "-D", "postgres", "-m", "immediate", "-w")  # noqa: SLF001  (nobody else does)

    def promote(self) -> None:
        """Let the standby take writes; returns once it does."""
        self.standby._run("pg_ctl", "promote", "-D", "postgres", "-w")  # noqa: SLF001  (as above)


@contextmanager
def primary_and_standby(home: Path, copy: Path, *, together: bool = True) -> Iterator[Pair]:
    """Both, in these homes, of which the second is made. With `together` a commit waits for the standby."""
    with embedded_server(home, durable=False) as primary:
        copy.mkdir(mode=0o700)
        # Above what a server that need not be durable is started with.
        primary._psql(f"ALTER DATABASE {DATABASE} SET synchronous_commit = on")  # noqa: SLF001  (a superuser's way)
        there = ("-h", folder_of(primary), "-U", USER, "-D", str(copy / "postgres"))
        OwnServer(copy, durable=False)._run("pg_basebackup", *there, "-R", "-c", "fast", "--no-sync")  # noqa: SLF001
        for lock in (copy / "postgres").glob(".s.PGSQL.*"):
            lock.unlink()
        (copy / "postgres.ready").touch(mode=0o600)
        with embedded_server(copy, durable=False) as standby:
            if together:
                primary._psql("ALTER SYSTEM SET synchronous_standby_names = '*';\nSELECT pg_reload_conf();")  # noqa: SLF001
                while not primary._psql(_IS_IN_STEP):  # noqa: SLF001
                    pass
            yield Pair(primary, standby)


def folder_of(server: OwnServer) -> str:
    """Where it listens."""
    return str(make_url(asyncpg_url(server.url())).query["host"])
