"""A disk that is full, and not only said to be (fault 31)."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.postgres import schema
from adapters.postgres.database import open_engine
from adapters.postgres.own_server import DATABASE, OwnServer
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.unit_of_work import DatabaseUnavailable, UnitOfWork
from tests.faults.invariants import half_written
from tests.world import new_user

SIZE = "96m"
# More than fits into what is left of the pages that there are.
MANY = 400
# Some segments of the log are made ahead.
FILL_THE_LOG = "SELECT pg_logical_emit_message(true, '', repeat('x', 1000000)) FROM generate_series(1, 64)"


class Disk:
    """A small one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            try:
                for piece in (bytes(2**20), bytes(2**12)):
                    while filler.write(piece) == len(piece):
                        pass
            except OSError:
                return

    def make_room(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path, made_home: Path) -> Iterator[Disk]:
    """One with the home of a database on it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("whoever runs the tests may not mount a file system of 96 MB")
    try:
        shutil.copytree(made_home, folder / "home")
        yield Disk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607  (the system's own)


async def register_many(unit_of_work: UnitOfWork, kind: str) -> tuple[set[str], set[str]]:
    """The addresses of those who are registered, and of those who are told to come back."""
    registered, refused = set(), set()
    for number in range(MANY):
        email = f"{kind}{number}@example.com"
        try:
            async with unit_of_work.begin() as tx:
                await tx.users.add(new_user(email))
        except DatabaseUnavailable:
            refused.add(email)
            if len(refused) > 3:
                break
        else:
            registered.add(email)
    return registered, refused


async def test_fault_31_a_full_disk_is_told_damages_nothing_and_is_over_when_there_is_room(disk: Disk) -> None:
    server = OwnServer(disk.folder / "home", durable=False)
    server.ensure_running(may_clean_up=True)
    url = server.url()
    try:
        await schema.migrate(url)
        async with open_engine(url, pool_size=2) as engine:
            async with engine.connect() as connection:
                await connection.exec_driver_sql(f"ALTER DATABASE {DATABASE} SET synchronous_commit = on")
            await engine.dispose()
            unit_of_work = PostgresUnitOfWork(engine, SystemRandomness(), acted_on=JOBS_OF_EVENTS)

            disk.fill()
            registered, refused = await register_many(unit_of_work, "early")
            assert refused
            # Those who only look notice nothing.
            assert await PostgresReadiness(engine).problems() == []
            disk.make_room()
            later, none = await register_many(unit_of_work, "later")
            assert (len(later), none) == (MANY, set())

            # Where not even the log has room, the server itself goes down: it cannot promise anything any more.
            disk.fill()
            async with engine.connect() as connection:
                with pytest.raises((DBAPIError, OSError)):
                    await connection.execute(text(FILL_THE_LOG))
            assert (await register_many(unit_of_work, "never"))[1]
            disk.make_room()
            await asyncio.to_thread(server.ensure_running, may_clean_up=True)

            last, none = await register_many(unit_of_work, "last")
            assert (len(last), none) == (MANY, set())
            async with engine.connect() as connection:
                found = set((await connection.execute(text("SELECT email FROM users"))).scalars())
                assert registered | later | last <= found
                assert not refused & found
                assert await half_written(connection) == []
                # Every page can be read.
                for table in ("users", "audit_entries", "jobs"):
                    await connection.execute(text(f"SELECT count(*), max(t::text) FROM {table} t"))  # noqa: S608  (ours)
    finally:
        server.stop()
