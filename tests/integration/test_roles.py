"""What the service's role in the database may not do (SK-06)."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.postgres import roles, schema
from adapters.postgres.database import open_engine
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.roles import APPLICATION_ROLE
from application.ports.unit_of_work import UnitOfWork
from application.upkeep.seal_audit_entries import SealAuditEntries
from application.users.register_user import RegisterUser
from domain.audit.audit_events import AuditRead
from entrypoints.cli import main
from entrypoints.settings import Environment, Settings
from entrypoints.startup import started
from tests.conftest import empty
from tests.integration.test_migrations import run as migrate
from tests.world import PASSWORD, SETTINGS

NOT_PERMITTED = "42501"
# A check, or a path of JSON that leads nowhere.
NOT_READABLE = {"23514", "2203A", "2203B", "22038"}
FORBIDDEN = [
    "UPDATE audit_entries SET event = 'edited'",
    "DELETE FROM audit_entries",
    "TRUNCATE audit_entries CASCADE",
    "DROP TABLE audit_entries CASCADE",
    "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
    "ALTER TABLE audit_entries ADD COLUMN mine int",
    (
        "INSERT INTO audit_entries (sequence, id, event, occurred_at, details) OVERRIDING SYSTEM VALUE "
        "VALUES (-1, gen_random_uuid(), 'x', now(), '{}')"
    ),
    "DELETE FROM audit_proofs",
    "UPDATE audit_proofs SET sequence = 1",
    "UPDATE audit_checkpoints SET position = 1",
    "DELETE FROM audit_checkpoints",
    "TRUNCATE users CASCADE",
    "TRUNCATE jobs",
    "DROP TABLE users CASCADE",
    "CREATE TABLE mine (id int)",
    "DROP FUNCTION complete_audit_entry() CASCADE",
    "UPDATE hallporter_schema SET version_num = 'mine'",
    "DELETE FROM hallporter_schema",
    "CREATE RULE mine AS ON INSERT TO audit_entries DO INSTEAD NOTHING",
    "ALTER TABLE audit_entries OWNER TO CURRENT_USER",
]


async def sqlstate(engine: AsyncEngine, statement: str) -> str | None:
    """How the statement is refused; None if it is not."""
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)
    except DBAPIError as error:
        return getattr(error.orig, "sqlstate", None)
    return None


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_sk_06_the_service_can_change_neither_the_schema_nor_what_was_written_down(
    engine: AsyncEngine, statement: str
) -> None:
    assert await sqlstate(engine, statement) == NOT_PERMITTED


UNREADABLE = [
    *(
        f"INSERT INTO audit_entries (id, event, {name}, occurred_at, details, commitments) "  # noqa: S608  (all ours)
        f"VALUES (gen_random_uuid(), 'x', {value}, '{at}', '{details}', '{commitments}')"
        for name, value, at, details, commitments in (
            ("outcome", "'perhaps'", "2026-01-31", "{}", "{}"),
            ("source", "'nowhere'", "2026-01-31", "{}", "{}"),
            ("source", "NULL", "infinity", "{}", "{}"),
            ("source", "NULL", "4000-01-01 BC", "{}", "{}"),
            ("source", "NULL", "2026-01-31", "[1]", "{}"),
            ("source", "NULL", "2026-01-31", '{"x": {"y": 1}}', "{}"),
            ("source", "NULL", "2026-01-31", '{"x": 1.5}', "{}"),
            ("source", "NULL", "2026-01-31", '{"x": ["y", 1]}', "{}"),
            ("source", "NULL", "2026-01-31", "{}", "[1]"),
            ("source", "NULL", "2026-01-31", "{}", '{"x": 1}'),
            ("source", "NULL", "2026-01-31", "{}", '{"x": "y"}'),
        )
    ),
    *(
        f"UPDATE audit_proofs SET personal = '{personal}'"  # noqa: S608  (all ours)
        for personal in (
            "[1]",
            '{"x": 1}',
            '{"x": {"salt": "00"}}',
            '{"x": {"salt": 1, "value": "y"}}',
            '{"x": {"salt": "0", "value": "y"}}',
            '{"x": {"salt": "00", "value": {}}}',
            '{"x": [{"salt": "00", "value": "y"}]}',
        )
    ),
]


@pytest.mark.parametrize("statement", UNREADABLE)
async def test_sk_06_the_service_can_write_nothing_that_would_keep_the_audit_log_from_being_read_and_sealed(
    engine: AsyncEngine, postgres_uow: UnitOfWork, statement: str
) -> None:
    async with postgres_uow.begin() as tx:
        await tx.audit.append(AuditRead(user_id=None, occurred_at=datetime.now(UTC), what="entries", filters=()))
    assert await sqlstate(engine, statement) in NOT_READABLE
    assert await SealAuditEntries(postgres_uow).execute() == 1


async def test_sk_06_every_other_test_on_this_engine_is_one_of_the_service_in_its_role(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT current_user")).scalar_one() == APPLICATION_ROLE
        assert (await connection.exec_driver_sql("SELECT count(*) FROM hallporter_schema")).scalar_one() == 1
    await empty(engine)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT current_user")).scalar_one() == APPLICATION_ROLE


async def test_sk_06_rights_that_were_lost_or_came_on_top_are_put_right_by_migrating_again(database: str) -> None:
    assert await schema.application_role(database) == APPLICATION_ROLE
    for change in (
        f"REVOKE INSERT ON users FROM {APPLICATION_ROLE}",
        f"GRANT DELETE ON audit_entries TO {APPLICATION_ROLE}",
    ):
        async with schema.connected(database) as connection:
            await connection.execute(text(change))
            await connection.commit()
        assert await schema.application_role(database) is None
        assert await schema.migrate(database) == []
        assert await schema.application_role(database) == APPLICATION_ROLE


@asynccontextmanager
async def login(server: str, *options: str) -> AsyncIterator[str]:
    """Somebody who may sign in to the server, and be nothing else."""
    name = f"hallporter_test_{secrets.token_hex(4)}"
    await as_administrator(server, f"CREATE ROLE {name} LOGIN {' '.join(options)}")
    try:
        yield name
    finally:
        await as_administrator(server, f"DROP ROLE {name}")


async def as_administrator(server: str, *statements: str) -> None:
    engine = create_async_engine(server, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


def url_for(url: str, name: str) -> str:
    return make_url(url).set(username=name).render_as_string(hide_password=False)


async def test_sk_06_a_login_that_is_in_the_role_alone_serves_and_cannot_migrate(
    postgres_server: str, database: str, empty_database: str
) -> None:
    async with login(postgres_server, f"IN ROLE {APPLICATION_ROLE}") as name:
        url = url_for(database, name)
        assert await schema.migrate(url) == []
        production = {"environment": Environment.PRODUCTION, "database_url": SecretStr(url), "secret_key": KEY}
        async with started(SETTINGS.model_copy(update=production)) as service:
            register = service.container.resolve(RegisterUser)
            assert await register.execute(email="ada@example.com", password=PASSWORD) is not None
        async with open_engine(url, role=APPLICATION_ROLE) as engine:
            assert await sqlstate(engine, "DELETE FROM audit_entries") == NOT_PERMITTED
        # Nor as whoever throws the role off: there is nothing else beneath it.
        async with open_engine(url) as engine:
            for statement in FORBIDDEN:
                assert await sqlstate(engine, statement) == NOT_PERMITTED, statement
        await migrate(empty_database, "downgrade", "base")
        with pytest.raises(
            DatabaseProblem, match=r"may not make them\. Run as the owner of the tables: hallporter migr"
        ):
            await schema.migrate(url_for(empty_database, name))


KEY = SecretStr("f8Jw2Qm4Zt7Lr1Xc9Vb6Ny3Hd5Gk0Ps8Ea2Tu4Wi7")


@pytest.fixture
def own_role(monkeypatch: pytest.MonkeyPatch) -> str:
    """A role of the test's own: those of a server belong to all."""
    name = f"hallporter_test_app_{secrets.token_hex(4)}"
    monkeypatch.setattr(roles, "APPLICATION_ROLE", name)
    return name


@pytest.fixture
def restored_logging() -> Iterator[None]:
    handlers, level, quiet = logging.getLogger().handlers, logging.getLogger().level, structlog.get_config()
    yield
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.configure(**quiet)


@pytest.mark.usefixtures("restored_logging")
def test_sk_06_whoever_may_make_no_role_goes_on_without_and_is_told_what_to_ask_for(
    postgres_server: str, own_role: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"hallporter_test_{secrets.token_hex(4)}"

    def migrated(url: str) -> str:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.setenv("DATABASE_URL", url.replace("+asyncpg", ""))
        monkeypatch.setattr("sys.argv", ["hallporter", "migrate"])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        return capsys.readouterr().out

    async def begin() -> str:
        await as_administrator(
            postgres_server, f"CREATE ROLE {owner} LOGIN", f"CREATE DATABASE {database} OWNER {owner}"
        )
        return url_for(make_url(postgres_server).set(database=database).render_as_string(hide_password=False), owner)

    owner = f"hallporter_test_{secrets.token_hex(4)}"
    url = asyncio.run(begin())
    try:
        assert "CREATE ROLE hallporter_app NOLOGIN; GRANT hallporter_app TO this user." in migrated(url)
        assert asyncio.run(schema.application_role(url)) is None
        asyncio.run(as_administrator(postgres_server, f"ALTER ROLE {owner} CREATEROLE"))
        assert migrated(url) == "The schema was up to date already.\n"
        assert asyncio.run(schema.application_role(url)) == own_role
    finally:
        asyncio.run(as_administrator(postgres_server, f"DROP DATABASE {database} WITH (FORCE)"))
        asyncio.run(as_administrator(postgres_server, f"DROP ROLE IF EXISTS {own_role}", f"DROP ROLE {owner}"))
