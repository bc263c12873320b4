"""A network and a server that fail at the worst moments (faults 1, 2, 4, 5, 8, 12, 35)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from pgqueuer.ports import RepositoryPort
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.http.retries import retried
from adapters.jobs.job_queue import PgQueuerJobQueue
from adapters.jobs.worker import Worker
from adapters.postgres import database as postgres
from adapters.postgres.database import open_engine
from adapters.postgres.jobs import open_queue
from adapters.postgres.mailbox import PostgresMailbox
from adapters.postgres.readiness import PostgresReadiness
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.jobs import Job
from application.ports.mailbox import ReceivedMail
from application.ports.unit_of_work import DatabaseUnavailable, UnitOfWork
from domain.ids import MessageId, UserId
from domain.users.registration import EmailAlreadyRegistered
from entrypoints.adapters import open_adapters
from entrypoints.settings import Settings
from entrypoints.worker import working
from tests.faultproxy import PATIENCE, Line, Way, line_to
from tests.world import new_user

# Far more than anything here takes, and less than a wait without end, or one after the other where one is enough.
SOON = 10.0


@pytest.fixture
async def line(database: str, postgres_uow: UnitOfWork) -> AsyncIterator[Line]:
    async with line_to(database) as line:
        yield line


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Have nobody wait for seconds on what is opened from now on."""
    for name in ("_CONNECT_TIMEOUT", "_COMMAND_TIMEOUT"):
        patch.setattr(postgres, name, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110  (nobody says when)
            await asyncio.sleep(0)


async def failed(*attempts: Awaitable[object]) -> int:
    """How many of these were told that the database is away. Nothing else may go wrong, and not for long."""
    async with asyncio.timeout(SOON):
        results = await asyncio.gather(*attempts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, DatabaseUnavailable):
            raise result
    return sum(isinstance(result, DatabaseUnavailable) for result in results)


async def test_fault_5_connections_that_are_lost_in_the_pool_fail_nobody(line: Line, owner: AsyncEngine) -> None:
    await line.fill(3)
    async with owner.connect() as other:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(:pids)"
        await other.execute(text(cut), {"pids": [connection.get_server_pid() for connection in line.opened]})
    await until(lambda: all(connection.is_closed() for connection in line.opened))
    assert await failed(line.read(), line.read(), line.write()) == 0
    assert len(line.opened) == 6


async def test_fault_5_of_all_connections_that_are_lost_unnoticed_one_request_fails_at_most(line: Line) -> None:
    await line.fill(3)
    line.proxy.cut()
    # The loop has not run since: nobody can know yet.
    assert not any(connection.is_closed() for connection in line.opened)
    assert [await failed(line.read()) for _ in range(4)] == [1, 0, 0, 0]


@pytest.mark.parametrize("moment", [rb"BEGIN", rb"INSERT INTO users", rb"INSERT INTO audit"])
async def test_fault_1_a_transaction_that_is_cut_leaves_nothing_behind(line: Line, moment: bytes) -> None:
    line.proxy.when(Way.THERE, moment, line.proxy.cut)
    assert await failed(line.write()) == 1
    assert await line.read() is None
    await line.write()
    assert line.pool.checkedout() == 0


@pytest.mark.parametrize("count", [0, 1, 9, 300])
async def test_a_connection_that_is_cut_while_it_is_being_set_up_is_no_bug(line: Line, count: int) -> None:
    line.proxy.when(Way.BACK, b"(?<=%s)" % (b"." * count), line.proxy.cut)
    assert await failed(line.read()) == 1
    assert await failed(line.read()) == 0


async def test_connections_that_are_refused_are_no_bug(line: Line) -> None:
    await line.fill(1)
    line.proxy.refuse()
    assert await failed(line.read(), line.write(), line.read()) == 3
    line.proxy.resume()
    assert await failed(line.read(), line.write()) == 0


@pytest.mark.parametrize(("way", "committed"), [(Way.THERE, False), (Way.BACK, True)])
@pytest.mark.parametrize("happening", ["cut", "stall"])
async def test_fault_2_a_commit_that_nobody_heard_of_is_told_by_doing_it_again(
    line: Line, way: Way, happening: str, *, committed: bool
) -> None:
    await line.fill(1)
    line.proxy.when(way, b"COMMIT", getattr(line.proxy, happening))
    with line.in_a_hurry():
        assert await failed(line.write()) == 1
    line.proxy.cut()
    line.proxy.resume()
    with pytest.raises(EmailAlreadyRegistered) if committed else nullcontext():
        await line.write()
    assert await line.read() is not None


async def test_fault_4_a_hole_in_the_net_holds_nobody_for_long(line: Line) -> None:
    await line.fill(3)
    line.proxy.stall()
    with line.in_a_hurry():
        assert await failed(*(line.read() for _ in range(6)), *(line.write() for _ in range(6))) == 12
    assert line.pool.checkedout() == 0
    line.proxy.resume()
    assert await failed(*(line.read() for _ in range(6))) == 0


async def test_fault_4_after_one_silence_nobody_else_is_sent_there(line: Line) -> None:
    await line.fill(3)
    line.proxy.stall()
    with line.in_a_hurry():
        assert await failed(line.read()) == 1
    line.proxy.resume()
    assert await failed(line.read(), line.read(), line.read()) == 0
    assert all(connection.is_closed() for connection in line.opened[:3])


async def test_fault_4_an_answer_that_comes_too_late_is_nobodys(line: Line) -> None:
    await line.write("bob@example.com")
    line.proxy.when(Way.BACK, b"bob@example.com", line.proxy.stall)
    with line.in_a_hurry():
        assert await failed(line.read("bob@example.com")) == 1
    line.proxy.resume()
    assert await line.read() is None


async def test_fault_4_a_hole_does_not_hold_up_those_who_want_to_end(database: str) -> None:
    async with asyncio.timeout(SOON), line_to(database) as line:
        await line.fill(3)
        line.proxy.stall()
    assert all(connection.is_closed() for connection in line.opened)


async def test_fault_4_a_peer_that_vanishes_is_noticed_also_where_nothing_is_asked_of_it(line: Line) -> None:
    await line.fill(1)
    connected = line.opened[0]._transport.get_extra_info("socket")  # noqa: SLF001  (there is no public way to it)
    assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


async def test_fault_8_a_pool_that_is_exhausted_fails_fast_and_recovers(line: Line) -> None:
    go_on = asyncio.Event()

    async def occupy() -> None:
        async with line.unit_of_work.read():
            await go_on.wait()

    await line.fill(3)
    occupied = [asyncio.create_task(occupy()) for _ in range(3)]
    await until(lambda: line.pool.checkedout() == 3)
    with line.in_a_hurry():
        assert await failed(*(line.read() for _ in range(20))) == 20
    go_on.set()
    await asyncio.gather(*occupied)
    assert await failed(*(line.read() for _ in range(20))) == 0


async def test_fault_6_a_server_that_is_read_only_of_a_sudden_is_left(line: Line) -> None:
    await line.fill(3)
    for connection in line.opened:
        await connection.execute("SET default_transaction_read_only = on")
    assert [await failed(line.write(f"user{number}@example.com")) for number in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("moment", [b"BEGIN", rb"INSERT.INTO.users|SELECT 1\0", b"COMMIT", b"ROLLBACK"])
async def test_fault_35_whoever_hangs_up_leaves_no_connection_behind(line: Line, way: Way, moment: bytes) -> None:
    async def begin_and_give_up(number: int) -> None:
        async with line.unit_of_work.begin() as tx:
            await tx.users.add(new_user(f"user{number}@example.com"))
            if moment == b"ROLLBACK":
                raise EmailAlreadyRegistered

    for number in range(5):
        attempt = asyncio.create_task(begin_and_give_up(number))
        line.proxy.when(way, moment, attempt.cancel)
        with pytest.raises(asyncio.CancelledError):
            await attempt
        assert line.pool.checkedout() == 0
    found = await asyncio.gather(*(line.read(f"user{number}@example.com") for number in range(5)))
    # A commit counts once the server has it, whoever hears of it.
    assert found == [None] * 5 or moment == b"COMMIT"


async def test_fault_12_both_sides_of_a_deadlock_end_well(
    database: str, postgres_uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._SERVER_SETTINGS, "deadlock_timeout", "20ms")  # noqa: SLF001
    users = [new_user("ada@example.com"), new_user("bob@example.com")]
    async with postgres_uow.begin() as tx:
        for user in users:
            await tx.users.add(user)
    met, attempts = asyncio.Barrier(2), 0

    async def rename(name: str, first: UserId, second: UserId) -> None:
        nonlocal attempts
        attempts += 1
        async with unit_of_work.begin() as tx:
            mine = await tx.users.lock(first)
            if attempts <= 2:
                await met.wait()
            other = await tx.users.lock(second)
            for user in (mine, other):
                user.update_profile(display_name=f"{user.display_name or ''}{name}", locale=None, at=datetime.now(UTC))
                await tx.users.save(user)

    async with open_engine(database) as engine:
        unit_of_work = PostgresUnitOfWork(engine, SystemRandomness())
        ada, bob = (user.id for user in users)
        await asyncio.gather(
            retried(partial(rename, "1", ada, bob)),
            retried(partial(rename, "2", bob, ada)),
        )
    assert attempts == 3
    async with postgres_uow.read() as tx:
        # Each saw what the other had done.
        names = [(await tx.users.get(user.id)).display_name for user in users]
    assert names in (["12", "12"], ["21", "21"])


async def test_what_else_talks_to_the_database_has_the_same_words_for_it(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox, readiness = PostgresMailbox(line.engine), PostgresReadiness(line.engine)
    queue = PgQueuerJobQueue(partial(open_queue, line.url))
    assert await readiness.problems() == []
    mail = ReceivedMail(
        id=MessageId(UUID(int=1)), recipient="a", subject="b", text="c", html="d", received_at=datetime.now(UTC)
    )
    uses: list[Callable[[], Awaitable[object]]] = [
        lambda: mailbox.put(mail),
        lambda: mailbox.latest(limit=1),
        lambda: mailbox.find(mail.id),
        lambda: queue.parked(limit=1),
        queue.retry_parked,
        lambda: queue.purge(done_for=timedelta(0)),
    ]
    for happening in (line.proxy.refuse, line.proxy.stall):
        happening()
        with line.in_a_hurry(), monkeypatch.context() as patch:
            hurry(patch)
            assert await failed(*(use() for use in uses)) == len(uses)
            assert await readiness.problems() == ["The database does not answer."]
        line.proxy.resume()
    line.proxy.cut()
    assert await readiness.problems() == []
    line.proxy.when(Way.THERE, b"FROM jobs", line.proxy.cut)
    assert await failed(queue.parked(limit=1)) == 1
    assert await queue.parked(limit=1) == []


@pytest.mark.parametrize("happening", ["cut", "refuse", "stall"])
async def test_a_worker_survives_whatever_becomes_of_the_database(
    line: Line, postgres_uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch, happening: str
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("adapters.jobs.worker._RECONNECT", timedelta(milliseconds=20))
    interrupted = asyncio.Event()
    handled: set[UUID] = set()

    async def handle(job: Job) -> timedelta | None:
        handled.add(job.subject)
        return None

    @asynccontextmanager
    async def opening() -> AsyncIterator[RepositoryPort]:
        try:
            async with open_queue(line.url) as queries:
                yield queries
        finally:
            interrupted.set()

    async def registered(email: str, *, makes: int) -> None:
        async with postgres_uow.begin() as tx:
            await tx.users.add(new_user(email))
        await until(lambda: len(handled) == makes)

    async with working(Worker(opening, handle, {}, lease=timedelta(milliseconds=100))):
        await registered("ada@example.com", makes=1)
        getattr(line.proxy, happening)()
        async with asyncio.timeout(SOON):
            await interrupted.wait()
        line.proxy.resume()
        await registered("bob@example.com", makes=2)


async def test_fault_8_a_process_whose_pool_is_exhausted_is_ready_all_the_same(database: str) -> None:
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database.replace("+asyncpg", "")),
        secret_key=SecretStr("T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa"),
        database_pool_size=1,
    )
    async with open_adapters(settings, database) as adapters, adapters.unit_of_work.begin() as tx:
        await tx.users.find_by_email(new_user().email)
        assert await adapters.readiness.problems() == []
