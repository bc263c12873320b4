"""What people are told when the database cannot be used, and what callers are told when it goes away."""

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from adapters.postgres import schema
from adapters.postgres.database import forsake, open_engine
from adapters.postgres.driver import OUT_OF_STEP
from adapters.postgres.problems import DatabaseAway, DatabaseProblem
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.statements import in_our_words
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.postgres.urls import asyncpg_url
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DatabaseUnavailable
from tests.faultproxy import Way, fault_proxy
from tests.world import new_user

type Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """A server that speaks as much of PostgreSQL as it takes to be refused by it."""
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield f"postgresql+asyncpg://ada:canary@127.0.0.1:{port}/house"


def refusing(sqlstate: str) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!i", await reader.readexactly(4))
        if length == 8:  # it asks for TLS first
            await reader.readexactly(4)
            writer.write(b"N")
            (length,) = struct.unpack("!i", await reader.readexactly(4))
        await reader.readexactly(length - 4)
        fields = f"SFATAL\0C{sqlstate}\0Mrefused by the test\0\0".encode()
        writer.write(b"E" + struct.pack("!i", len(fields) + 4) + fields)
        writer.close()

    return answer


@pytest.mark.parametrize(
    ("sqlstate", "said"),
    [
        ("28P01", r"refuses the user 'ada'. Correct user and password in DATABASE_URL\.$"),
        ("3D000", r"has no database 'house'. Create it \(createdb house\)"),
        ("53300", r"refuses with 53300: refused by the test"),
    ],
)
async def test_a_refusing_server_is_explained_without_the_password(sqlstate: str, said: str) -> None:
    async with server(refusing(sqlstate)) as url:
        with pytest.raises(DatabaseProblem, match=said) as problem:
            await schema.migrate(url)
    assert "canary" not in str(problem.value)


@pytest.mark.parametrize("place", ["127.0.0.1:1", "nowhere.invalid:5432", "127.0.0.1:1, [::1]:2"])
async def test_an_unreachable_server_is_explained(place: str) -> None:
    with pytest.raises(DatabaseProblem, match=re.escape(f"No PostgreSQL answers at {place}")) as problem:
        await schema.migrate(asyncpg_url(f"postgresql://ada:canary@{place.replace(' ', '')}/house"))
    assert "canary" not in str(problem.value)


async def test_a_server_without_tls_is_told_from_an_absent_one() -> None:
    async with server(refusing("00000")) as url:
        with pytest.raises(DatabaseProblem, match="does not take the encrypted connection that sslmode") as problem:
            await schema.migrate(f"{url}?ssl=require")
    assert not isinstance(problem.value, DatabaseAway)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        *((state, DatabaseAway) for state in ("57P03", "57P01", "57P02", "53300", "53100", "08006", "58030")),
        *((state, DatabaseProblem) for state in ("28P01", "28000", "3D000", "42501", "0A000", "57014")),
    ],
)
async def test_fault_3_what_may_pass_by_itself_is_told_from_what_somebody_has_to_mend(
    sqlstate: str, kind: type[DatabaseProblem]
) -> None:
    async with server(refusing(sqlstate)) as url:
        with pytest.raises(DatabaseProblem) as problem:
            await schema.expect_up_to_date(url)
    assert type(problem.value) is kind


async def test_fault_3_a_server_that_goes_away_under_a_migration_may_come_back(database: str) -> None:
    async with fault_proxy(database) as (proxy, url):
        proxy.when(Way.THERE, rb"to_regclass", proxy.cut)
        with pytest.raises(DatabaseAway, match="No PostgreSQL answers at"):
            await schema.migrate(url)
        assert await schema.migrate(url) == []


async def test_a_bug_in_a_migration_is_nobody_being_away(database: str) -> None:
    with pytest.raises(ProgrammingError):
        async with schema.connected(database) as connection:
            await connection.execute(text("SELECT * FROM nowhere"))


async def test_a_server_that_is_too_old_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "OLDEST_SERVER", 99)
    with pytest.raises(DatabaseProblem, match=r"PostgreSQL \d+\.\d+ is too old; Hallporter needs 99 or later"):
        await schema.expect_up_to_date(database)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("postgresql://u:p@h:5433/d", "postgresql+asyncpg://u:p@h:5433/d"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h/d?sslmode=require", "postgresql+asyncpg://u:p@h/d?ssl=require"),
        ("postgresql://u:p%40ss@h/d", "postgresql+asyncpg://u:p%40ss@h/d"),
        ("postgresql://h/d?target_session_attrs=primary", "postgresql+asyncpg://h/d?target_session_attrs=primary"),
        (
            "postgresql://u:p,ss@a:5433,[::1]/d?sslmode=require&target_session_attrs=primary",
            "postgresql+asyncpg://u:p%2Css@/d?host=a%2C%3A%3A1&port=5433%2C5432&ssl=require&target_session_attrs=primary",
        ),
        (
            "postgresql://u@/d?host=/a,/b",
            "postgresql+asyncpg://u@/d?host=%2Fa%2C%2Fb&port=5432%2C5432&target_session_attrs=read-write",
        ),
        (
            "postgresql://u@/d?host=/a,/b&port=5433",
            "postgresql+asyncpg://u@/d?host=%2Fa%2C%2Fb&port=5433%2C5433&target_session_attrs=read-write",
        ),
    ],
)
def test_every_spelling_of_a_postgresql_url_is_taken(given: str, taken: str) -> None:
    assert asyncpg_url(given) == taken


@pytest.mark.parametrize(
    "url",
    [
        "",
        "canary",
        "mysql://u:canary@h/d",
        "sqlite:///canary",
        "postgresql+psycopg://u:canary@h/d",
        "postgresql://u:canary@h",
        "postgresql://u:p@ss:canary@h:5432/d",
        "postgresql://u:p@h:canary/d",
        "postgresql://u:p@h:99999/d",
        "postgresql://u:p@h/d?sslrootcert=canary",
        "postgresql://u:p@h/d?canary=1",
        "postgresql://u:p@h/d?sslmode=canary",
        "postgresql://u:canary@a:5432,b:canary/d",
        "postgresql://u:canary@a,/d",
        "postgresql://u:canary@a,b:99999/d",
        "postgresql://u:canary@a,b",
        "postgresql://u:canary@/d?host=a,b,c&port=1,2",
        "postgresql://u:canary@a,b/d?target_session_attrs=any",
        "postgresql://u:canary@a,b/d?target_session_attrs=prefer-standby",
    ],
)
def test_another_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"must begin|no database|is not a URL|not supported|sslmode|copies"
    ) as problem:
        asyncpg_url(url)
    assert "canary" not in str(problem.value)


async def test_callers_of_an_absent_database_are_told_to_come_back() -> None:
    async with open_engine("postgresql+asyncpg://u:p@127.0.0.1:1/d") as engine:
        unit_of_work = PostgresUnitOfWork(engine, SystemRandomness())
        for block in (unit_of_work.read, unit_of_work.begin):
            with pytest.raises(DatabaseUnavailable) as refusal:
                async with block():
                    pass
            assert refusal.value.retry_after.total_seconds() > 0
        assert await PostgresReadiness(engine).problems() == ["The database does not answer."]


async def test_a_connection_that_is_cut_is_replaced(empty_database: str) -> None:
    await schema.migrate(empty_database)
    async with open_engine(empty_database, pool_size=1) as engine, open_engine(empty_database) as other:
        unit_of_work = PostgresUnitOfWork(engine, SystemRandomness())

        async def cut() -> None:
            async with other.connect() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

        async def write() -> None:
            async with unit_of_work.begin() as tx:
                await tx.users.add(new_user("first@example.com"))
                await cut()
                await tx.users.add(new_user("second@example.com"))

        with pytest.raises(DatabaseUnavailable):
            await write()
        async with unit_of_work.read() as tx:
            assert await tx.users.find_by_email(new_user("first@example.com").email) is None


async def test_a_pool_that_is_exhausted_says_so(database: str) -> None:
    async with open_engine(database, pool_size=1, pool_timeout=0.01) as engine:
        unit_of_work = PostgresUnitOfWork(engine, SystemRandomness())

        async def second() -> None:
            async with unit_of_work.read():
                pass

        async with unit_of_work.read():
            with pytest.raises(DatabaseUnavailable):
                await second()


async def test_a_bug_in_a_statement_stays_a_bug(database: str) -> None:
    async with open_engine(database) as engine, engine.connect() as connection:
        with pytest.raises(ProgrammingError), in_our_words():
            await connection.execute(text("SELECT * FROM nowhere"))


async def test_parameters_stay_out_of_error_texts(database: str) -> None:
    async with open_engine(database) as engine, engine.connect() as connection:
        with pytest.raises(Exception, match="division by zero") as error:
            await connection.execute(text("SELECT CAST(:secret AS text), 1/0"), {"secret": "canary"})
    assert "canary" not in str(error.value)


async def test_a_connection_that_is_being_cut_at_this_very_moment_is_gone_too(empty_database: str) -> None:
    """The driver has read the server's last word, and not yet that the connection is closed."""
    async with open_engine(empty_database, pool_size=1) as engine:
        async with engine.connect() as connection:
            before = (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one()
            pooled = await connection.get_raw_connection()
            out_of_step = OUT_OF_STEP("cannot switch to state 12; another operation (2) is in progress")
            with pytest.raises(DatabaseUnavailable), in_our_words():
                raise out_of_step
            forsake(engine, pooled, out_of_step)
        async with engine.connect() as connection:
            assert (await connection.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one() != before
