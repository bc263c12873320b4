"""Being watched, on PostgreSQL and on a real listener."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.crypto.hashing_threads import HashingThreads
from adapters.jobs.heartbeat import Heartbeat
from adapters.memory.readiness import MemoryReadiness
from adapters.postgres.database import open_engine, pool_of
from adapters.postgres.vital_signs import PostgresVitalSigns
from application.ports.jobs import JobKind
from application.ports.password_hasher import HashingBusy
from application.ports.unit_of_work import UnitOfWork
from application.users.register_user import RegisterUser
from domain.messages.message import MessageState
from entrypoints.metrics import Metrics, metrics_of
from entrypoints.readiness import ReadinessOfProcess
from entrypoints.settings import Environment, Settings
from entrypoints.settings_problem import SettingsProblem
from entrypoints.startup import Started, started
from entrypoints.worker import make_worker, working
from tests.http.conftest import postgres_adapters
from tests.world import EMAIL, PASSWORD, World, make_world

TOKEN = "b3Jkd2luIGhhcmJvdXIgYXQgZGF3bg"


@pytest.fixture
async def world(engine: AsyncEngine, postgres_uow: UnitOfWork, database: str) -> AsyncIterator[World]:
    with postgres_adapters(engine, postgres_uow, database) as adapters:
        yield make_world(adapters)


async def test_the_database_tells_what_waits_and_since_when(world: World, engine: AsyncEngine) -> None:
    await world.register()
    async with engine.connect() as connection:
        await connection.execute(
            text("UPDATE jobs SET created = now() - interval '2 h', execute_after = now() - interval '1 h'")
        )
        await connection.execute(
            text(
                "INSERT INTO job_schedules (expression, entrypoint, last_run) "
                "VALUES ('* * * * *', 'seal_audit_entries', now() - interval '1 h')"
            )
        )
    signs = await PostgresVitalSigns(engine).read()
    assert signs is not None
    found = {job.kind: job for job in signs.jobs}
    assert set(found) == set(JobKind)
    event, message = found[JobKind.EVENT], found[JobKind.MESSAGE]
    assert (event.waiting, event.running, event.parked) == (1, 0, 0)
    assert timedelta(hours=2) <= event.oldest < timedelta(hours=3)
    assert timedelta(hours=1) <= event.overdue < timedelta(hours=2)
    assert (message.waiting, message.oldest, message.overdue) == (0, timedelta(), timedelta())
    assert timedelta(hours=1) <= signs.upkeep["seal_audit_entries"] < timedelta(hours=2)
    assert (signs.unsealed, signs.is_migrated, signs.key_age) == (1, True, None)
    assert signs.oldest_unsealed >= timedelta()


async def test_jobs_that_are_parked_or_not_due_are_not_late(world: World, engine: AsyncEngine) -> None:
    await world.register()
    async with engine.connect() as connection:
        await connection.execute(text("UPDATE jobs SET execute_after = now() + interval '1 h'"))
        signs = await PostgresVitalSigns(engine).read()
        assert signs is not None
        assert next(job.overdue for job in signs.jobs if job.kind is JobKind.EVENT) == timedelta()
        await connection.execute(text("UPDATE jobs SET status = 'failed', execute_after = now() - interval '1 h'"))
    signs = await PostgresVitalSigns(engine).read()
    assert signs is not None
    event = next(job for job in signs.jobs if job.kind is JobKind.EVENT)
    assert (event.parked, event.oldest, event.overdue) == (1, timedelta(), timedelta())


async def test_mails_that_are_not_sent_are_told_by_state(world: World, engine: AsyncEngine) -> None:
    await world.register()
    await world.work()
    signs = await PostgresVitalSigns(engine).read()
    assert signs is not None
    assert signs.mails == {MessageState.QUEUED: 0, MessageState.FAILED: 0, MessageState.DEAD: 0}
    async with engine.connect() as connection:
        await connection.execute(text("UPDATE messages SET state = 'dead'"))
    signs = await PostgresVitalSigns(engine).read()
    assert signs is not None
    assert signs.mails[MessageState.DEAD] == 1


async def test_without_a_database_nothing_is_told() -> None:
    async with open_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing", pool_size=1) as engine:
        assert await PostgresVitalSigns(engine).read() is None


async def test_a_pool_counts_who_had_to_wait_and_who_waited_in_vain(database: str) -> None:
    async with open_engine(database, pool_size=1, pool_timeout=0.01) as engine:
        pool = pool_of(engine)
        async with engine.connect():
            assert (pool.most, pool.taken, pool.waits) == (1, 1, 0)
            with pytest.raises(PoolTimeout):
                await engine.connect()
        assert (pool.taken, pool.waits, pool.timeouts) == (0, 1, 1)


async def test_hashing_tells_what_runs_what_waits_and_what_was_refused() -> None:
    threads, gate = HashingThreads(on_idle=lambda: None), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

    wanted = [asyncio.create_task(threads.run(work)) for _ in range(50)]
    await asyncio.sleep(0)
    assert threads.running >= 1
    assert threads.running + threads.waiting == 50
    halves = [asyncio.create_task(threads.run(work, places=10**6)) for _ in range(2)]
    with pytest.raises(HashingBusy):
        await halves[1]
    assert threads.refused == 1
    gate.set()
    await asyncio.gather(*wanted, halves[0])
    threads.close()
    assert (threads.running, threads.waiting) == (0, 0)


async def test_a_process_whose_worker_is_silent_is_not_ready() -> None:
    now = [0.0]
    heartbeat = Heartbeat(clock=lambda: now[0])
    readiness = ReadinessOfProcess(MemoryReadiness(), heartbeat)
    now[0] = 1000
    assert not await readiness.problems()
    heartbeat.beat()
    now[0] += 119
    assert not await readiness.problems()
    now[0] += 2
    (problem,) = await readiness.problems()
    assert "worker" in problem
    heartbeat.beat()
    assert not await readiness.problems()
    heartbeat.end()
    now[0] += 1000
    assert not await readiness.problems()


class _CountedBeats(Heartbeat):
    beats = 0

    def beat(self) -> None:
        super().beat()
        self.beats += 1


async def test_a_worker_is_heard_of_when_its_connection_answers_and_not_missed_when_it_stops(world: World) -> None:
    heartbeat = _CountedBeats()

    async def is_alive() -> bool:
        # Once when it begins, and then whenever the database has answered.
        return heartbeat.beats >= 2

    async with working(make_worker(world.settings, world.adapters, world.container, heartbeat)):
        await until(is_alive)
        assert heartbeat.silence is not None
    assert heartbeat.silence is None


def listening_from(port: int, database: str) -> Settings:
    return Settings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=database.replace("+asyncpg", ""),
        secret_key="T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa",
        public_url="https://accounts.example.com",
        metrics_listen=f"127.0.0.1:{port}",
        metrics_token=TOKEN,
    )


@asynccontextmanager
async def told_at(metrics: Metrics, settings: Settings) -> AsyncIterator[tuple[Started, httpx.AsyncClient]]:
    """A process of its own, as far as Prometheus can see."""
    async with started(settings, metrics) as service:
        address, headers = f"http://127.0.0.1:{metrics.port}", {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=address, headers=headers) as client:
            yield service, client


async def test_ap_06_each_process_listens_on_a_port_of_its_own_and_tells_of_its_own_worker(
    postgres_uow: UnitOfWork, database: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = listening_from(taken.getsockname()[1], database)
        one, other = metrics_of(settings), metrics_of(settings)
        assert one is not None
        assert other is not None
        async with told_at(one, settings) as (service, client), told_at(other, settings) as (_, elsewhere):
            assert len({one.port, other.port, taken.getsockname()[1]}) == 3
            async with working(service.worker):
                await service.container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)

                async def has_sent() -> bool:
                    text = (await client.get("/metrics")).text
                    return all(
                        line in text
                        for line in (
                            'hallporter_events_total{event="user.registered"} 1.0',
                            'hallporter_mail_attempts_total{outcome="sent"} 1.0',
                            "hallporter_database_up 1.0",
                            "\nhallporter_worker_silent_seconds ",
                            'hallporter_jobs{kind="message",state="waiting"} 0.0',
                        )
                    )

                await until(has_sent)
            text = (await elsewhere.get("/metrics")).text
            assert 'event="user.registered"' not in text
            assert 'hallporter_jobs{kind="message",state="waiting"} 0.0' in text
            assert "\nhallporter_worker_silent_seconds " not in text
            assert (await elsewhere.get("/metrics", headers={"Authorization": ""})).status_code == 401


async def test_where_nothing_can_listen_we_say_so_and_do_not_start(postgres_uow: UnitOfWork, database: str) -> None:
    settings = listening_from(9464, database).model_copy(update={"metrics_listen": "192.0.2.1:9464"})
    with pytest.raises(SettingsProblem, match=r"METRICS_LISTEN.*192\.0\.2\.1"):
        async with started(settings, metrics_of(settings)):
            pass


def test_where_they_are_off_there_are_none(database: str) -> None:
    assert metrics_of(listening_from(9464, database).model_copy(update={"metrics_listen": None})) is None


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; the patience of a test is thirty seconds."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  (what is waited for works on its own)
            await asyncio.sleep(0.02)
