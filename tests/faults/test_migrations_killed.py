"""A migration that is killed half-way (fault 30)."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.postgres import schema, turns
from tests.e2e.test_service import HALLPORTER, TOP, environment
from tests.faultproxy import Way, fault_proxy

ALEMBIC = [sys.executable, "-m", "alembic", "upgrade", "head"]
MIGRATE = [str(HALLPORTER), "migrate"]


async def tables(url: str) -> list[str]:
    """What there is in the database once nobody migrates any more."""
    async with schema.connected(url) as connection, turns.taken(connection):
        found = await connection.execute(
            text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        )
        return list(found.scalars())


@pytest.mark.parametrize(
    ("command", "moment", "absent"),
    [(MIGRATE, rb"CREATE TABLE import_rows", "import_rows"), (ALEMBIC, rb"COMMIT", "users")],
    ids=["in the middle", "at the end"],
)
async def test_fault_30_of_a_migration_that_is_killed_nothing_stays_and_the_next_one_makes_all(
    blank_database: str, tmp_path: Path, command: list[str], moment: bytes, absent: str
) -> None:
    async with fault_proxy(blank_database) as (proxy, url):
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=TOP,
            env=environment(tmp_path, DATABASE_URL=url),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        proxy.when(Way.THERE, moment, process.kill)
        # What was sent before that is held back, so that nothing after it gets through.
        proxy.when(Way.THERE, moment, proxy.stall)
        async with asyncio.timeout(60):
            assert await process.wait() == -signal.SIGKILL
        proxy.cut()
    # Those before it were transactions of their own.
    assert absent not in await tables(blank_database)
    async with schema.connected(blank_database) as connection:
        missing = await connection.run_sync(schema.missing_revisions)
    assert await schema.migrate(blank_database) == missing
    await schema.expect_up_to_date(blank_database)
