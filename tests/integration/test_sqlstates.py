"""What becomes of each thing that PostgreSQL and its driver can say (faults 9, 10, 11, 12 and 31)."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import BigInteger, Executable, LargeBinary, Text, Uuid, bindparam, cast, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.database import _SERVER_SETTINGS as SETTINGS
from adapters.postgres.database import open_engine
from adapters.postgres.statements import in_our_words
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DatabaseUnavailable, DuplicateKey, TransactionConflict, TransactionEnded
from domain.errors import DomainError, InvalidFields
from tests.world import new_user

type Log = list[MutableMapping[str, Any]]

PASSING = {
    "08006": "connection lost",
    "25006": "read-only after a failover",
    "25P03": "idle in a transaction for too long",
    "25P04": "a transaction for too long",
    "40003": "nobody knows whether it was committed",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "waited too long for a lock",
    "57014": "took too long",
    "57P01": "shut down",
    "57P02": "crashed",
    "57P03": "starting up",
    "58030": "input or output failed",
}
MISCONFIGURED = {"28000": "no such user", "28P01": "wrong password", "3D000": "no such database", "42501": "no right"}
CONFLICTS = {"40001": "not serialisable", "40P01": "deadlock"}
UNSTORABLE = {
    "22000": "bad data",
    "22001": "too long",
    "22003": "too large",
    "22008": "no such time",
    "22021": "no text",
    "22P02": "malformed",
    "22P05": "no such character",
    "2201X": "negative offset",
    "54000": "too long for an index",
}
BUGS = {"22012": "divided by zero", "42601": "no SQL", "42P01": "no such table", "XX000": "a bug of PostgreSQL's"}


@pytest.fixture(scope="module")
async def single(database: str) -> AsyncIterator[AsyncEngine]:
    """A pool of one."""
    async with open_engine(database, pool_size=1) as engine:
        yield engine


@pytest.fixture
def log() -> Iterator[Log]:
    quiet = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("DEBUG"))
    with structlog.testing.capture_logs() as entries:
        yield entries
    structlog.configure(**quiet)


async def run(engine: AsyncEngine, statement: Executable, **parameters: object) -> None:
    with in_our_words():
        async with engine.connect() as connection:
            await connection.execute(statement, parameters)


async def refused(engine: AsyncEngine, statement: Executable, **parameters: object) -> Exception:
    try:
        await run(engine, statement, **parameters)
    except Exception as refusal:  # noqa: BLE001  (whatever it is, the test looks at it)
        return refusal
    raise AssertionError


def raising(sqlstate: str) -> Executable:
    return text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = 'canary'; END $$")


@pytest.mark.parametrize(
    ("sqlstate", "refusal", "event", "level"),
    [
        *((state, DatabaseUnavailable, "database.unavailable", "warning") for state in PASSING),
        *((state, DatabaseUnavailable, "database.unavailable", "error") for state in MISCONFIGURED),
        *((state, TransactionConflict, "database.conflict", "info") for state in CONFLICTS),
        *((state, InvalidFields, "database.unstorable_value", "error") for state in UNSTORABLE),
    ],
)
async def test_every_state_has_its_word_and_one_line_for_operators(
    single: AsyncEngine, log: Log, sqlstate: str, refusal: type[DomainError], event: str, level: str
) -> None:
    assert type(await refused(single, raising(sqlstate))) is refusal
    (line,) = log
    assert (line["event"], line["log_level"], line["sqlstate"]) == (event, level, sqlstate)
    assert line["statement"].startswith("DO $$")


@pytest.mark.parametrize("sqlstate", BUGS)
async def test_what_can_only_be_a_bug_stays_one(single: AsyncEngine, log: Log, sqlstate: str) -> None:
    assert isinstance(await refused(single, raising(sqlstate)), DBAPIError)
    assert log == []


@pytest.mark.parametrize(("sqlstate", "bug"), [("25P02", TransactionEnded), ("23505", DuplicateKey)])
async def test_bugs_that_the_core_knows_go_by_its_names(
    single: AsyncEngine, sqlstate: str, bug: type[Exception]
) -> None:
    assert type(await refused(single, raising(sqlstate))) is bug


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (BigInteger, 2**63),
        (BigInteger, "canary"),
        (Uuid(as_uuid=False), "canary"),
        (Text, "canary \0"),
        (Text, "canary \ud800"),
        (LargeBinary, "canary"),
    ],
)
async def test_values_that_cannot_be_stored_are_refused_and_are_loud(
    single: AsyncEngine, log: Log, type_: Any, value: object
) -> None:
    refusal = await refused(single, select(cast(bindparam("value", type_=type_), type_)), value=value)
    assert isinstance(refusal, InvalidFields)
    assert [violation.field for violation in refusal.violations] == [""]
    assert [(line["event"], line["log_level"]) for line in log] == [("database.unstorable_value", "error")]
    assert "canary" not in f"{log}{refusal}"


async def test_fault_9_too_many_connections_are_said_to_pass_and_missing_rights_are_not(
    owner: AsyncEngine, database: str, log: Log
) -> None:
    role = make_url(database).database
    async with owner.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD 'canary' CONNECTION LIMIT 1"))
    try:
        url = make_url(database).set(username=role, password="canary").render_as_string(hide_password=False)
        async with open_engine(url) as limited:
            async with limited.connect():
                assert isinstance(await refused(limited, select(1)), DatabaseUnavailable)
            assert isinstance(await refused(limited, text("SELECT * FROM users")), DatabaseUnavailable)
    finally:
        async with owner.connect() as connection:
            await connection.execute(text(f"DROP ROLE {role}"))
    assert [(line["log_level"], line["sqlstate"]) for line in log] == [("warning", "53300"), ("error", "42501")]
    assert "canary" not in str(log)


async def test_a_certificate_that_is_missing_is_for_operators_to_mend(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    async with open_engine("postgresql+asyncpg://u:p@127.0.0.1:1/d?ssl=verify-full") as engine:
        assert isinstance(await refused(engine, select(1)), DatabaseUnavailable)
    assert [line["log_level"] for line in log] == ["error"]


async def test_fault_10_a_slow_statement_is_cut_short(database: str, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.setitem(SETTINGS, "statement_timeout", "20ms")
    async with open_engine(database) as engine:
        assert isinstance(await refused(engine, text("SELECT pg_sleep(60)")), DatabaseUnavailable)
    assert [(line["sqlstate"], line["statement"]) for line in log] == [("57014", "SELECT pg_sleep(60)")]


async def test_fault_11_a_transaction_that_idles_is_ended_and_its_locks_with_it(
    owner: AsyncEngine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SETTINGS, "idle_in_transaction_session_timeout", "20ms")
    async with open_engine(database, pool_size=1) as idle:
        unit_of_work = PostgresUnitOfWork(idle, SystemRandomness())

        async def idle_about() -> None:
            async with unit_of_work.begin() as tx:
                await tx.users.find_by_email(new_user().email)
                await idle_connections_are_gone(owner)
                await tx.users.find_by_email(new_user().email)

        with pytest.raises(DatabaseUnavailable):
            await idle_about()
        async with unit_of_work.read() as tx:
            assert await tx.users.find_by_email(new_user("nobody@example.com").email) is None


async def idle_connections_are_gone(engine: AsyncEngine) -> None:
    idle = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND state = 'idle in transaction' AND application_name = 'hallporter'"
    )
    async with engine.connect() as connection:
        while (await connection.execute(idle)).scalar_one():
            pass


async def test_da_02_every_wait_on_the_server_has_an_end(engine: AsyncEngine) -> None:
    settings = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    async with engine.connect() as connection:
        found = {name: (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() for name in settings}
        looked_for_deadlocks_after = (
            await connection.exec_driver_sql("SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'")
        ).scalar_one()
    assert found == {
        "statement_timeout": "4s",
        "lock_timeout": "1500ms",
        "idle_in_transaction_session_timeout": "10s",
    }
    assert looked_for_deadlocks_after < 1500


async def test_a_migration_that_changes_a_type_under_a_transaction_has_it_begin_anew(owner: AsyncEngine) -> None:
    async with owner.connect() as migration:
        await migration.exec_driver_sql("CREATE TABLE changing (value integer)")
    seen = select(text("value")).select_from(text("changing"))
    in_transactions = owner.execution_options(isolation_level="READ COMMITTED")
    try:
        async with in_transactions.connect() as connection:
            await connection.execute(seen)
            await connection.rollback()
            async with owner.connect() as migration:
                await migration.exec_driver_sql("ALTER TABLE changing ALTER value TYPE text")
            with pytest.raises(TransactionConflict), in_our_words():
                await connection.execute(seen)
            await connection.rollback()
            assert (await connection.execute(seen)).all() == []
    finally:
        async with owner.connect() as migration:
            await migration.exec_driver_sql("DROP TABLE changing")
