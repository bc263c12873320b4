"""Upgrading by the command line, and trying it on a copy: what is told, what is as it was, and what is gone."""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from adapters.postgres import schema
from adapters.postgres.copying import environment_for
from tests.integration.test_cli import Cli
from tests.integration.test_cli import cli as cli  # noqa: PLC0414  (a fixture)
from tests.integration.test_upgrade import leave_invalid
from tests.made_up import INDEX, Release

WIDER = 'op.alter_column("users", "version", type_=sa.BigInteger())'
ADDED = 'op.add_column("users", sa.Column("shoe_size", sa.Integer()))'
WRITTEN = 'op.execute("UPDATE users SET locale = NULL")'
VALIDATED = (
    'op.execute("ALTER TABLE sessions ADD CONSTRAINT c CHECK (version > 0) NOT VALID")',
    'op.execute("ALTER TABLE sessions VALIDATE CONSTRAINT c")',
)
COPYING = "Copying the database, which goes on working meanwhile …\n"
NEW = 'op.create_table("hooks", sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id")))'


def asked(url: str, sql: str) -> list[object]:
    """One column of what a database answers."""

    async def ask() -> list[object]:
        async with schema.connected(url) as connection:
            return list((await connection.execute(text(sql))).scalars())

    return asyncio.run(ask())


async def leave(url: str) -> None:
    """An index as somebody leaves it who is killed."""
    async with schema.connected(url) as connection:
        await leave_invalid(connection)


def copies(url: str) -> list[object]:
    """The databases of rehearsals that are there."""
    return asked(url, r"SELECT datname FROM pg_database WHERE datname LIKE 'hallporter\_rehearsal\_%'")


def test_what_each_migration_locks_and_whom_that_holds_up_is_told(
    cli: Cli, release: Release, new_database: str
) -> None:
    for does in (ADDED, WIDER, WRITTEN, *VALIDATED, NEW, INDEX):
        release.add(does)
    told = cli("upgrade", "--rehearse", "--json", DATABASE_URL=new_database)
    assert told.err == COPYING
    made = json.loads(told.out)
    assert [each["revision"] for each in made] == [f"made_up_{number}" for number in range(1, 8)]
    seen = [
        [(table["table"], table["mode"], table["waits"], table["rewritten"]) for table in each["tables"]]
        for each in made
    ]
    assert seen == [
        [("users", "ACCESS EXCLUSIVE", "reads and writes", False)],
        [("users", "ACCESS EXCLUSIVE", "reads and writes", True)],
        [("users", "ROW EXCLUSIVE", "writes of the same rows", False)],
        [("sessions", "ACCESS EXCLUSIVE", "reads and writes", False)],
        [("sessions", "SHARE UPDATE EXCLUSIVE", "", False)],
        [("users", "SHARE ROW EXCLUSIVE", "writes", False)],
        [],
    ]
    assert [each["beside"] for each in made] == [False] * 6 + [True]
    assert all(each["seconds"] > 0 for each in made)
    assert copies(new_database) == []
    assert asyncio.run(schema.is_behind(new_database))


def test_people_are_told_in_words(cli: Cli, release: Release, new_database: str) -> None:
    release.add(WIDER, title="Widen the version")
    release.add(NEW, title="Hooks")
    told = cli("upgrade", "--rehearse", DATABASE_URL=new_database)
    assert re.search(r"^made_up_1  Widen the version: \d+ ms$", told.out, re.MULTILINE)
    assert re.search(
        r"^ +users +ACCESS EXCLUSIVE +reads and writes wait +0 rows +0\.1 MiB +rewritten", told.out, re.MULTILINE
    )
    assert re.search(r"^Requests to users wait for up to \d+ ms, and none fails for it", told.out, re.MULTILINE)
    assert asyncio.run(schema.is_behind(new_database))
    done = cli("upgrade", DATABASE_URL=new_database)
    assert done.out.startswith("applied made_up_1\napplied made_up_2\nThe schema is up to date.\n")
    assert "Nothing is to be done" in cli("upgrade", "--rehearse", DATABASE_URL=new_database).out


def test_the_rows_of_the_database_are_in_the_copy(cli: Cli, release: Release) -> None:
    """On the embedded server, of which nobody gives a URL."""
    assert cli("users", "create", "ada@example.com", "--generate-password").code == 0
    release.add(ADDED)
    (made,) = json.loads(cli("upgrade", "--rehearse", "--json").out)
    assert [(table["table"], table["rows"]) for table in made["tables"]] == [("users", 1)]


def test_a_migration_that_fails_fails_on_the_copy_alone(cli: Cli, release: Release, new_database: str) -> None:
    release.add(ADDED)
    stuck = release.add('op.add_column("users", sa.Column("shoe_size", sa.Integer()))')
    told = cli("upgrade", "--rehearse", DATABASE_URL=new_database)
    assert (told.code, told.out) == (1, "")
    assert re.search(
        rf"^Migration {stuck} fails on the copy: .*already exists.*as it was\.$", told.err.removeprefix(COPYING)
    )
    assert copies(new_database) == []
    assert asked(new_database, "SELECT count(*) FROM pg_attribute WHERE attname = 'shoe_size'") == [0]


def test_whoever_may_not_make_a_database_is_told_what_to_do(cli: Cli, release: Release, new_database: str) -> None:
    release.add(ADDED)
    name = f"poor_{secrets.token_hex(4)}"

    async def have(*statements: str) -> None:
        async with schema.connected(new_database) as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
            await connection.commit()

    asyncio.run(have(f"CREATE ROLE {name} LOGIN PASSWORD 'poor'", f"GRANT pg_read_all_data TO {name}"))
    try:
        poor = make_url(new_database).set(username=name, password="poor").render_as_string(hide_password=False)
        told = cli("upgrade", "--rehearse", DATABASE_URL=poor)
        assert (told.code, told.err.removeprefix(COPYING).count("\n")) == (1, 1)
        assert f"ALTER ROLE {name} CREATEDB" in told.err
        # What it may read is copied to where it may make one.
        assert cli("upgrade", "--rehearse", "--on", new_database, DATABASE_URL=poor).err == COPYING
    finally:
        asyncio.run(have(f"DROP OWNED BY {name}", f"DROP ROLE {name}"))
    assert "names no database" in cli("upgrade", "--rehearse", "--on", "postgresql://host").err


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_the_copy_when_somebody_has_enough(
    release: Release, new_database: str, tmp_path: Path, stop: signal.Signals
) -> None:
    release.add('op.execute("SELECT pg_sleep(600)")')
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.rehearsing", release.folder],
        env=os.environ | {"DATABASE_URL": new_database, "HALLPORTER_HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '%rehearsal%' AND query LIKE '%sleep(6%'"
    while asked(new_database, sleeping) == [0]:
        assert process.poll() is None, process.communicate()
    process.send_signal(stop)
    _, said = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "DROP" not in said
    assert copies(new_database) == []


def test_fault_30_a_doctor_names_an_index_that_is_not_finished_and_an_upgrade_mends_it(
    cli: Cli, new_database: str
) -> None:
    asyncio.run(leave(new_database))
    here = {"DATABASE_URL": new_database}
    found = {each["check"]: each for each in json.loads(cli("doctor", "--json", **here).out)}
    assert found["indexes"]["state"] == "warning"
    assert "ix_users_locale" in found["indexes"]["found"]
    assert found["indexes"]["advice"] == "Run: hallporter upgrade"
    assert json.loads(cli("upgrade", "--json", **here).out) == [{"done": "mended", "name": "ix_users_locale"}]
    assert re.search(r"^ok +indexes +all finished$", cli("doctor", **here).out, re.MULTILINE)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://ada:s3cret@db:6000/house?ssl=verify-full", ("db", "6000", "ada", "s3cret", "verify-full")),
        ("postgresql://ada@[::1]/house", ("::1", "5432", "ada", None, None)),
        ("postgresql://ada@/house?host=/run/pg", ("/run/pg", "5432", "ada", None, None)),
        ("postgresql://ada@/house?host=a:6000&host=b:6001", ("a,b", "6000,6001", "ada", None, None)),
    ],
)
def test_the_programs_of_postgresql_find_what_we_find(
    monkeypatch: pytest.MonkeyPatch, url: str, found: tuple[str | None, ...]
) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    monkeypatch.setenv("PGSSLROOTCERT", "/root.crt")
    told = environment_for(make_url(url))
    assert tuple(told.get(name) for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSSLMODE")) == found
    assert (told["PGDATABASE"], told["PGSSLROOTCERT"], told.get("PGSERVICE")) == ("house", "/root.crt", None)
