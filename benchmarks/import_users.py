"""How fast users move in: `uv run python -m benchmarks.import_users --rows 1000000`.

The command `hallporter users import` on a file of users with a bcrypt hash each, and then a bare COPY of the very rows
that came of it into the very table, emptied before, with all its indexes. Both on an embedded PostgreSQL of their own,
which writes as durably as any.
"""

import argparse
import asyncio
import json
import os
import random
import string
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.postgres import schema
from adapters.postgres.embedded import embedded_postgres
from benchmarks.lab import HALLPORTER
from benchmarks.processes import clean_environment

_BCRYPT = string.ascii_letters + string.digits + "./"


class ImportFailed(Exception):
    """Users did not come in: there is nothing to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What it took."""

    seconds: float
    peak_mib: float


def write_file(path: Path, rows: int) -> None:
    """As many users, as other systems have them."""
    chance = random.Random(rows)  # noqa: S311  (nobody's password)
    with path.open("w") as file:
        for number in range(rows):
            row = {
                "source_id": f"auth0|{chance.randbytes(12).hex()}",
                # In no order, as people come.
                "email": f"{''.join(chance.choices(string.ascii_lowercase, k=12))}{number}@example.com",
                "email_verified": number % 3 > 0,
                "display_name": f"Firstname Lastname {number}",
                "locale": "en",
                "created_at": f"20{10 + number % 15}-01-31T12:00:00.{number % 1000:03}Z",
                "password_hash": "$2b$10$"
                + "".join(chance.choices(_BCRYPT, k=21))
                + "u"
                # The last character of a hash carries four bits.
                + "".join(chance.choices(_BCRYPT, k=30))
                + "u",
            }
            file.write(json.dumps(row) + "\n")


def imported(file: Path, home: Path, *options: str) -> Imported:
    """Run the command, and see how long it took from the first row to the last, and how much memory at most.

    Raises: ImportFailed.
    """
    command = [*HALLPORTER, "users", "import", str(file), "--json", *options]
    environment = clean_environment({"HALLPORTER_HOME": str(home)})
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE) as process:
        said = process.stdout.read() if process.stdout is not None else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        message = f"the import failed: {said.decode(errors='replace')[-500:]}"
        raise ImportFailed(message)
    result = json.loads(said)
    began, ended = (datetime.fromisoformat(result[name]) for name in ("started_at", "finished_at"))
    return Imported(seconds=(ended - began).total_seconds(), peak_mib=usage.ru_maxrss / 1024)


async def copied(url: str, folder: Path) -> float:
    """How long a bare COPY of the same rows takes."""
    file = folder / "users.copy"
    async with schema.connected(url) as connection:
        await connection.rollback()
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.copy_from_table("users", output=str(file), format="binary")
        await emptied(driver)
        began = time.perf_counter()
        await driver.copy_to_table("users", source=str(file), format="binary")
        return time.perf_counter() - began


async def emptied(driver: Any) -> None:  # noqa: ANN401  (a connection of an untyped library)
    """Begin anew, with nothing left to be written from before."""
    await driver.execute("TRUNCATE users CASCADE")
    await driver.execute("TRUNCATE import_rows, import_claims")
    await driver.execute("CHECKPOINT")


async def empty(url: str) -> None:
    """Leave nobody."""
    async with schema.connected(url) as connection:
        await connection.rollback()
        await emptied((await connection.get_raw_connection()).driver_connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The command, applying and only rehearsing, and a bare COPY, in seconds, of the same rows."""

    rows: int
    bare: float
    applied: Imported
    rehearsed: Imported

    @property
    def share(self) -> float:
        """The rate of the import as a share of the rate of the COPY."""
        return self.bare / self.applied.seconds


def compared(folder: Path, counts: Sequence[int]) -> Iterator[Compared]:
    """The import beside the COPY, for each number of rows, in an empty folder.

    Raises: ImportFailed.
    """
    with embedded_postgres(folder / "home") as url:
        asyncio.run(schema.migrate(url))
        for rows in counts:
            file = folder / f"{rows}.ndjson"
            write_file(file, rows)
            asyncio.run(empty(url))
            rehearsed = imported(file, folder / "home", "--dry-run")
            asyncio.run(empty(url))
            applied = imported(file, folder / "home")
            bare = asyncio.run(copied(url, folder))
            yield Compared(rows=rows, bare=bare, applied=applied, rehearsed=rehearsed)


def main() -> None:
    """Measure, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        for one in compared(Path(folder), sorted({min(rows, 100_000), rows})):
            print(  # noqa: T201  (what it is for)
                f"{one.rows} rows: bare COPY {one.rows / one.bare:,.0f}/s, "
                f"import {one.rows / one.applied.seconds:,.0f}/s "
                f"({one.share:.2f} of it, {one.applied.peak_mib:.0f} MiB at most), "
                f"dry run {one.rows / one.rehearsed.seconds:,.0f}/s ({one.rehearsed.peak_mib:.0f} MiB)"
            )


if __name__ == "__main__":
    main()
