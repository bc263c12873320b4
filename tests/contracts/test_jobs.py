"""What the queue of jobs promises, and the worker on it: with what commits, by id alone, at least once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import pytest
from pgqueuer.domain.types import QueueEntrypoint
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.jobs import worker as worker_module
from adapters.jobs.job_queue import OpenQueue, PgQueuerJobQueue
from adapters.jobs.worker import Worker
from adapters.memory.clock import MemoryClock
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.postgres.database import open_engine
from adapters.postgres.jobs import SETTINGS, open_queue
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.jobs import Job, JobKind, ParkedJob
from application.ports.unit_of_work import UnitOfWork
from domain.ids import AuditEntryId, MessageId
from domain.messages.message import Message, MessageKind
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import User
from tests.world import new_session, new_user

NOW = MemoryClock().now()
ACTED_ON = {"user.registered": JobKind.EVENT}
CANARY = "canary ada@example.com"
MOST_ATTEMPTS = 10

type Answer = Callable[[Job], Awaitable[timedelta | None]]

_randomness = SystemRandomness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where transactions leave jobs, and whoever does them."""

    unit_of_work: UnitOfWork
    open_queue: OpenQueue

    @property
    def queue(self) -> PgQueuerJobQueue:
        return PgQueuerJobQueue(self.open_queue)

    async def drain(self, answer: Answer) -> None:
        await Worker(self.open_queue, answer, {}, lease=timedelta(seconds=30)).drain()

    async def done(self) -> list[Job]:
        """The jobs that there are, now that they are done."""
        handler = Handler()
        await self.drain(handler)
        return handler.handled


@dataclass
class Handler:
    """Fails so many times, and notes what it was given."""

    failures: int = 0
    handled: list[Job] = field(default_factory=list)

    async def __call__(self, job: Job) -> timedelta | None:
        self.handled.append(job)
        if self.failures > 0:
            self.failures -= 1
            raise ValueError(CANARY)
        return None


@pytest.fixture
def memory_bench() -> Bench:
    memory = MemoryUnitOfWork(acted_on=ACTED_ON)
    return Bench(unit_of_work=memory, open_queue=memory.jobs.open)


@pytest.fixture
def postgres_bench(engine: AsyncEngine, database: str, postgres_uow: UnitOfWork) -> Bench:
    """On the tables that `postgres_uow` has emptied."""
    postgres = PostgresUnitOfWork(engine, _randomness, acted_on=ACTED_ON)
    return Bench(unit_of_work=postgres, open_queue=partial(open_queue, database))


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    found: Bench = request.getfixturevalue(f"{request.param}_bench")
    return found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed jobs are tried again at once: their waits are real time."""
    monkeypatch.setattr(worker_module, "_FIRST_WAIT", timedelta(0))


async def register(uow: UnitOfWork, email: str = "ada@example.com") -> tuple[User, Job]:
    """A new user, and the job that follows from it."""
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    async with uow.read() as tx:
        (entry,) = await tx.audit.of_user(user.id)
    return user, Job(kind=JobKind.EVENT, subject=entry.id)


def new_message(user: User, event_id: AuditEntryId | None = None) -> Message:
    return Message.queued(
        id=MessageId(_randomness.uuid(at=NOW)),
        event_id=event_id or AuditEntryId(_randomness.uuid(at=NOW)),
        kind=MessageKind.VERIFY_EMAIL,
        user_id=user.id,
        recipient=user.email,
        locale=None,
        sealed_content="sealed",
        at=NOW,
    )


async def test_an_event_that_is_acted_on_is_a_job_once_it_counts(bench: Bench) -> None:
    async with bench.unit_of_work.begin() as tx:
        await tx.users.add(new_user())
        assert await bench.done() == []
    async with bench.unit_of_work.read() as tx:
        user = await tx.users.find_by_email(new_user().email)
        assert user is not None
        (entry,) = await tx.audit.of_user(user.id)
    assert await bench.done() == [Job(kind=JobKind.EVENT, subject=entry.id)]


@pytest.mark.parametrize("bench", ["postgres"], indirect=True)
async def test_a_job_of_an_event_is_queued_as_pgqueuer_queues_it(bench: Bench, owner: AsyncEngine) -> None:
    """Our own statement, since PgQueuer's cannot be part of another one."""
    _, job = await register(bench.unit_of_work)
    own = ("id", "job_id", "created", "updated", "heartbeat", "execute_after")

    async def queued() -> list[list[dict[str, object]]]:
        async with owner.connect() as connection:
            tables = [await connection.execute(text("TABLE " + name)) for name in ("jobs", "job_log")]
            return [
                [{name: row[name] for name in row if name not in own} for row in table.mappings()] for table in tables
            ]

    ours = await queued()
    assert [len(rows) for rows in ours] == [1, 1]
    assert await bench.done() == [job]
    async with owner.connect() as connection:
        await connection.exec_driver_sql("DELETE FROM job_log")
    async with bench.open_queue() as queue:
        await queue.enqueue(
            [job.kind.value], [job.subject.bytes], [0], dedupe_key=[f"{job.kind}:{job.subject}"], on_conflict="skip"
        )
    assert await queued() == ours


@pytest.mark.parametrize("bench", ["postgres"], indirect=True)
async def test_whoever_listens_for_jobs_is_told_of_those_of_events_and_of_nothing_else(
    bench: Bench, database: str
) -> None:
    heard: list[str] = []
    async with open_engine(database, pool_size=1) as engine, engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.add_listener(SETTINGS.channel, lambda *told: heard.append(told[-1]))
        user, _ = await register(bench.unit_of_work)
        await driver.fetch("SELECT 1")  # what was told comes before the answer
        assert [json.loads(told)["operation"] for told in heard] == ["insert"]
        async with bench.unit_of_work.begin() as tx:
            await tx.sessions.add(new_session(user))
        await driver.fetch("SELECT 1")
        assert len(heard) == 1
        await connection.invalidate()


async def test_no_job_comes_of_what_was_rolled_back(bench: Bench) -> None:
    await register(bench.unit_of_work)
    assert len(await bench.done()) == 1

    async def refused() -> None:
        other = new_user("other@example.com")
        async with bench.unit_of_work.begin() as tx:
            await tx.users.add(other)
            await tx.messages.add(new_message(other))
            await tx.users.add(new_user())

    with pytest.raises(EmailAlreadyRegistered):
        await refused()
    assert await bench.done() == []


async def test_no_job_comes_of_events_that_nothing_follows_from(bench: Bench) -> None:
    user, job = await register(bench.unit_of_work)
    async with bench.unit_of_work.begin() as tx:
        await tx.sessions.add(new_session(user))
        user.suspend(reason="spam", at=NOW)
        await tx.users.save(user)
    assert await bench.done() == [job]


async def test_a_message_is_a_job_once_though_it_is_added_twice(bench: Bench) -> None:
    user, _ = await register(bench.unit_of_work)
    await bench.done()
    message = new_message(user)
    async with bench.unit_of_work.begin() as tx:
        assert await tx.messages.add(message)
        assert not await tx.messages.add(new_message(user, message.event_id))
    async with bench.unit_of_work.begin() as tx:
        assert not await tx.messages.add(new_message(user, message.event_id))
    assert await bench.done() == [Job(kind=JobKind.MESSAGE, subject=message.id)]


async def test_each_job_is_done_once_and_then_forgotten(bench: Bench) -> None:
    jobs = []
    for number in range(12):
        user, job = await register(bench.unit_of_work, f"user{number}@example.com")
        message = new_message(user)
        async with bench.unit_of_work.begin() as tx:
            await tx.messages.add(message)
        jobs += [job, Job(kind=JobKind.MESSAGE, subject=message.id)]
    assert sorted(map(str, await bench.done())) == sorted(map(str, jobs))
    assert await bench.done() == []


async def test_jobs_that_follow_from_jobs_are_done_as_well(bench: Bench) -> None:
    user, job = await register(bench.unit_of_work)
    message = new_message(user)
    handled = []

    async def handle(job: Job) -> None:
        handled.append(job)
        if job.kind is JobKind.EVENT:
            async with bench.unit_of_work.begin() as tx:
                await tx.messages.add(message)

    await bench.drain(handle)
    assert handled == [job, Job(kind=JobKind.MESSAGE, subject=message.id)]


async def test_of_two_workers_one_gets_each_job(bench: Bench) -> None:
    jobs = [(await register(bench.unit_of_work, f"user{number}@example.com"))[1] for number in range(20)]
    handler = Handler()
    await asyncio.gather(bench.drain(handler), bench.drain(handler))
    assert sorted(map(str, handler.handled)) == sorted(map(str, jobs))


async def test_a_job_that_is_not_done_yet_comes_again_after_the_wait_it_asked_for(bench: Bench) -> None:
    _, job = await register(bench.unit_of_work)
    answers: list[timedelta | None] = [None, timedelta(0), timedelta(0)]
    handled = []

    async def handle(job: Job) -> timedelta | None:
        handled.append(job)
        return answers.pop()

    await bench.drain(handle)
    assert handled == [job] * 3


async def test_a_job_that_asks_for_a_wait_is_neither_lost_nor_parked_nor_taken_early(bench: Bench) -> None:
    await register(bench.unit_of_work)
    asked = asyncio.Event()

    async def wait(_: Job) -> timedelta:
        asked.set()
        return timedelta(days=1)

    draining = asyncio.create_task(bench.drain(wait))
    await asked.wait()
    # It would wait for the job to be due.
    draining.cancel()
    await asyncio.wait([draining])
    async with bench.open_queue() as queries:
        kinds = [QueueEntrypoint(kind.value) for kind in JobKind]
        assert await queries.queued_work(kinds) == 1
        assert await queries.eligible_queued_work(kinds) == 0
    assert await bench.queue.parked(limit=10) == []


@pytest.mark.usefixtures("impatient")
async def test_a_job_that_fails_is_tried_again_until_it_is_done(bench: Bench) -> None:
    _, job = await register(bench.unit_of_work)
    handler = Handler(failures=3)
    await bench.drain(handler)
    assert handler.handled == [job] * 4
    assert await bench.queue.parked(limit=10) == []
    assert await bench.done() == []


@pytest.mark.usefixtures("impatient")
async def test_a_job_that_fails_too_often_is_parked_until_somebody_has_it_tried_again(bench: Bench) -> None:
    _, job = await register(bench.unit_of_work)
    handler = Handler(failures=1000)
    await bench.drain(handler)
    assert handler.handled == [job] * MOST_ATTEMPTS
    (parked,) = await bench.queue.parked(limit=10)
    assert (parked.job, parked.attempts) == (job, MOST_ATTEMPTS)
    assert await bench.done() == []

    assert await bench.queue.retry_parked() == 1
    assert await bench.queue.parked(limit=10) == []
    # From the start: it may fail as often as before.
    again = Handler(failures=MOST_ATTEMPTS - 1)
    await bench.drain(again)
    assert again.handled == [job] * MOST_ATTEMPTS
    assert await bench.queue.parked(limit=10) == []
    assert await bench.queue.retry_parked() == 0


@pytest.mark.usefixtures("impatient")
async def test_a_job_that_fails_keeps_no_other_from_being_done(bench: Bench) -> None:
    _, bad = await register(bench.unit_of_work)
    _, good = await register(bench.unit_of_work, "good@example.com")
    done = []

    async def handle(job: Job) -> None:
        if job == bad:
            raise ValueError(CANARY)
        done.append(job)

    await bench.drain(handle)
    assert done == [good]
    assert [parked.job for parked in await bench.queue.parked(limit=10)] == [bad]


@pytest.mark.usefixtures("impatient")
async def test_parked_jobs_come_last_queued_first_and_no_more_than_asked_for(bench: Bench) -> None:
    jobs = [(await register(bench.unit_of_work, f"user{number}@example.com"))[1] for number in range(3)]
    await bench.drain(Handler(failures=1000))
    everything = await bench.queue.parked(limit=10)
    assert [parked.job for parked in everything] == jobs[::-1]
    assert sorted(everything, key=_queued_at, reverse=True) == list(everything)
    assert [parked.job for parked in await bench.queue.parked(limit=2)] == [jobs[2], jobs[1]]


def _queued_at(parked: ParkedJob) -> float:
    return parked.queued_at.timestamp()


@pytest.mark.usefixtures("impatient")
async def test_what_is_noted_about_failures_names_their_class_and_nothing_they_say(
    postgres_bench: Bench, engine: AsyncEngine
) -> None:
    await register(postgres_bench.unit_of_work)
    await postgres_bench.drain(Handler(failures=1000))
    async with engine.connect() as connection:
        notes = await connection.scalars(text("SELECT traceback::text FROM job_log WHERE traceback IS NOT NULL"))
        found = list(notes)
    assert len(found) == MOST_ATTEMPTS
    for note in found:
        assert "ValueError" in note
        assert "canary" not in note
        assert "ada@" not in note


async def test_forgetting_what_is_noted_about_jobs_takes_no_job_along(bench: Bench) -> None:
    _, done = await register(bench.unit_of_work)
    assert await bench.done() == [done]
    _, waiting = await register(bench.unit_of_work, "other@example.com")
    await bench.queue.purge(done_for=timedelta(days=7))
    await bench.queue.purge(done_for=timedelta(0))
    assert await bench.done() == [waiting]


async def test_what_is_noted_about_jobs_is_forgotten_after_a_while(postgres_bench: Bench, engine: AsyncEngine) -> None:
    await register(postgres_bench.unit_of_work)
    await postgres_bench.done()
    noted = []
    for done_for in (timedelta(days=7), timedelta(0)):
        await postgres_bench.queue.purge(done_for=done_for)
        async with engine.connect() as connection:
            noted.append(await connection.scalar(text("SELECT count(*) FROM job_log")))
    # Queued, picked, done; then nothing.
    assert noted == [3, 0]


async def test_what_is_counted_of_jobs_is_forgotten_after_a_while_too(
    postgres_bench: Bench, engine: AsyncEngine
) -> None:
    """Else it would grow by a few rows for each second in which anything is done, for ever."""
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "INSERT INTO job_statistics (created, count, priority, status, entrypoint) "
                "SELECT now() - n * interval '1 hour', 1, 0, 'successful', 'message' "
                "FROM generate_series(2400, 1, -1) AS n"
            )
        )
    await postgres_bench.queue.purge(done_for=timedelta(days=7))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM job_statistics")) == 7 * 24 - 1


async def test_a_job_that_waits_is_not_queued_twice(bench: Bench) -> None:
    user, _ = await register(bench.unit_of_work)
    await bench.done()
    message = new_message(user)
    async with bench.unit_of_work.begin() as tx:
        await tx.messages.add(message)
    for _ in range(2):
        async with bench.unit_of_work.begin() as tx:
            assert await tx.messages.requeue(untouched_since=NOW, at=NOW, limit=100) == 1
    assert await bench.done() == [Job(kind=JobKind.MESSAGE, subject=message.id)]
    async with bench.unit_of_work.begin() as tx:
        assert await tx.messages.requeue(untouched_since=NOW, at=NOW, limit=100) == 1
    assert await bench.done() == [Job(kind=JobKind.MESSAGE, subject=message.id)]
