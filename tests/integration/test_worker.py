"""Workers on PostgreSQL: crashes at the worst moments, a relay that is away, a database that goes (faults 19 to 23)."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.jobs.job_queue import PgQueuerJobQueue
from adapters.jobs.worker import Upkeep, Worker
from adapters.postgres.jobs import open_queue
from adapters.system.clock import SystemClock
from application.idempotency.claim_request import ClaimRequest
from application.jobs.handle_job import HandleJob
from application.messages.deliver_message import DeliverMessage
from application.messages.prepare_messages import PrepareMessages
from application.ports.jobs import Job
from application.ports.password_hasher import HashingBusy
from application.ports.unit_of_work import UnitOfWork
from application.ports.user_search import UserFilter, UserOrder
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.verify_email import MailedCode, VerifyEmail
from application.transfer.import_users import ImportUsers
from application.transfer.run_import import RunImport
from application.upkeep.forget_erased_user import ForgetErasedUser
from application.users.get_user import GetUser
from application.users.register_user import RegisterUser
from domain.idempotency.idempotent_request import IdempotencyInFlight, IdempotencyPolicy, Once
from domain.messages.message import Message, MessagePolicy, MessageState
from domain.recovery.one_time_token import InvalidToken
from domain.transfer.user_import import ImportState, Verdict
from domain.users.password import WrongPassword
from entrypoints.adapters import Adapters, open_adapters
from entrypoints.container import build_container
from entrypoints.settings import Settings
from entrypoints.worker import make_worker, working
from tests.integration.crashing import IMPORTED, REQUEST, ROWS_AT_ONCE, imported_file
from tests.relay import Relay, relay
from tests.transfers import blocks_of
from tests.world import EMAIL, PASSWORD, new_user

TOP = Path(__file__).parents[2]
LEASE = timedelta(seconds=1)
SECRET_KEY = "T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa"


def settings_for(database: str, smtp_port: int) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database.replace("+asyncpg", ""),
        secret_key=SECRET_KEY,
        public_url="https://accounts.example.com",
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        job_lease_seconds=int(LEASE.total_seconds()),
    )


@asynccontextmanager
async def opened(database: str, smtp_port: int) -> AsyncIterator[tuple[Settings, Adapters]]:
    settings = settings_for(database, smtp_port)
    async with open_adapters(settings, database) as adapters:
        yield settings, adapters


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once it holds; the patience of a test is thirty seconds."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  (what is waited for is in another process)
            await asyncio.sleep(0.02)


async def messages(unit_of_work: UnitOfWork) -> list[Message]:
    async with unit_of_work.read() as tx:
        return list(await tx.messages.page(limit=1000))


async def all_sent(unit_of_work: UnitOfWork, count: int) -> bool:
    found = await messages(unit_of_work)
    return len(found) == count and all(message.state is MessageState.SENT for message in found)


async def crash(point: str, settings: Settings) -> asyncio.subprocess.Process:
    """A process that ends or stops by itself at that point; when it has."""
    assert settings.database_url is not None
    environment = os.environ | {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "SECRET_KEY": SECRET_KEY,
        "PUBLIC_URL": settings.public_url,
        "SMTP_URL": settings.smtp_url.get_secret_value() if settings.smtp_url else "",
        "JOB_LEASE_SECONDS": str(settings.job_lease_seconds),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.crashing", point, cwd=TOP, env=environment
    )
    if point == "stopped":

        async def is_stopped() -> bool:
            return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED

        await until(is_stopped)
    else:
        assert await process.wait() == -signal.SIGKILL
    return process


def ids(taken: Relay) -> list[str]:
    return [message["Message-ID"] for message in taken.messages()]


def texts(taken: Relay) -> list[str]:
    bodies = [message.get_body(("plain",)) for message in taken.messages()]
    return [body.get_content() for body in bodies if body is not None]


@pytest.mark.parametrize(
    ("point", "mails"),
    [("registered", 1), ("before sending", 1), ("after sending", 2)],
)
async def test_faults_19_and_20_a_process_that_is_killed_loses_no_mail_and_invents_none(
    postgres_uow: UnitOfWork, database: str, point: str, mails: int
) -> None:
    async with relay() as (taken, server), opened(database, server.port) as (settings, adapters):
        container = build_container(settings, adapters)
        if point != "registered":
            await container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)
        await crash(point, settings)
        assert len(taken.taken) == mails - 1
        async with working(make_worker(settings, adapters, container)):
            await until(lambda: all_sent(postgres_uow, 1))
        assert len(taken.taken) == mails
        assert len(set(ids(taken))) == 1
        # The token of the first try is the token of every other, and good.
        words = {word for text in texts(taken) for word in text.split()}
        (link,) = {word for word in words if word.startswith("https://accounts.example.com/links/verify-email#")}
        verified = await container.resolve(VerifyEmail).execute(proof=link.partition("#")[2], password=PASSWORD)
        assert verified.email.canonical == EMAIL


class _Later:
    """A clock that is ahead, so far as a claim lasts."""

    def now(self) -> datetime:
        return SystemClock().now() + IdempotencyPolicy().claimed_for


async def test_fault_14_whoever_repeats_the_request_of_a_process_that_was_killed_gets_what_it_did(
    postgres_uow: UnitOfWork, database: str
) -> None:
    async with relay() as (_, server), opened(database, server.port) as (settings, adapters):
        await crash("registered", settings)
        container = build_container(settings, adapters)
        with pytest.raises(IdempotencyInFlight):
            await container.resolve(ClaimRequest).execute(**REQUEST)
        later = build_container(settings, replace(adapters, clock=_Later()))
        once = await later.resolve(ClaimRequest).execute(**REQUEST)
        assert isinstance(once, Once)
        again = await later.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD, once=once)
        assert again == await later.resolve(GetUser).execute(who=EMAIL)
        async with postgres_uow.read() as tx:
            assert (
                len((await tx.users.page(only=UserFilter(), order=UserOrder.NEWEST, after=None, limit=10)).items) == 1
            )


async def test_fault_21_what_a_stopped_worker_writes_down_late_changes_nothing(
    postgres_uow: UnitOfWork, database: str
) -> None:
    async with relay() as (taken, server), opened(database, server.port) as (settings, adapters):
        container = build_container(settings, adapters)
        await container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)
        zombie = await crash("stopped", settings)
        async with working(make_worker(settings, adapters, container)):
            await until(lambda: all_sent(postgres_uow, 1))
        (before,) = await messages(postgres_uow)
        zombie.send_signal(signal.SIGTERM)
        zombie.send_signal(signal.SIGCONT)
        await zombie.wait()
        assert await messages(postgres_uow) == [before]
        assert before.attempts == 2
        assert len(set(ids(taken))) == 1


async def test_an_import_that_was_killed_goes_on_where_it_stopped(postgres_uow: UnitOfWork, database: str) -> None:
    """What was committed counts, rows and their report, and nothing else does."""
    async with opened(database, 1) as (settings, adapters):
        await crash("importing", settings)
        container = build_container(settings, adapters)
        async with postgres_uow.read() as tx:
            (left,) = await tx.user_imports.page(before=None, limit=5)
            reports = await tx.user_imports.reports(left.id, after=0, limit=100)
            users = await tx.bulk_users.page(after=None, limit=100)
        assert (left.rows, left.state) == (2 * ROWS_AT_ONCE, ImportState.RUNNING)
        assert {report.user_id for report in reports} == {user.id for user in users}
        assert len(reports) == len(users) == left.rows
        finished = await container.resolve(ImportUsers).execute(import_id=left.id, source=blocks_of(imported_file()))
        assert (finished.rows, finished.count(Verdict.ACCEPTED)) == (IMPORTED, IMPORTED)


def impatient(adapters: Adapters, settings: Settings) -> Worker:
    """A worker that tries again at once."""
    container = build_container(settings, adapters)
    deliver = DeliverMessage(
        adapters.unit_of_work,
        adapters.mailer,
        adapters.secret_sealer,
        adapters.clock,
        adapters.randomness,
        MessagePolicy(first_wait=timedelta(milliseconds=20), longest_wait=timedelta(milliseconds=40)),
    )
    prepare, forget = container.resolve(PrepareMessages), container.resolve(ForgetErasedUser)
    handle_job = HandleJob(prepare, deliver, forget, container.resolve(RunImport))

    async def handle(job: Job) -> timedelta | None:
        return await handle_job.execute(job=job)

    return Worker(adapters.open_queue, handle, {}, lease=LEASE)


async def test_fault_23_all_mail_arrives_once_a_dead_relay_is_back_and_one_bad_address_delays_nobody(
    postgres_uow: UnitOfWork, database: str
) -> None:
    async with relay({"RCPT": "250 OK"}) as (_, gone):
        port = gone.port
    people = [f"user{number}@example.com" for number in range(8)]
    async with opened(database, port) as (settings, adapters):
        container = build_container(settings, adapters)
        for email in people:
            await container.resolve(RegisterUser).execute(email=email, password=PASSWORD)
        async with working(impatient(adapters, settings)):

            async def all_have_failed() -> bool:
                found = await messages(postgres_uow)
                return len(found) == len(people) and all(message.attempts > 1 for message in found)

            await until(all_have_failed)
            assert {message.state for message in await messages(postgres_uow)} == {MessageState.FAILED}
            async with relay(port=port, refused={people[3]}) as (taken, _):

                async def all_is_settled() -> bool:
                    return not any(message.is_waiting for message in await messages(postgres_uow))

                await until(all_is_settled)
                arrived = sorted(recipient for envelope in taken.taken for recipient in envelope.rcpt_tos)
        assert arrived == [email for email in people if email != people[3]]
        dead = [message for message in await messages(postgres_uow) if message.state is MessageState.DEAD]
        assert [message.recipient.canonical for message in dead] == [people[3]]


async def test_fault_22_a_poison_job_is_parked_and_stands_in_nobodys_way(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> None:
    async with postgres_uow.begin() as tx:
        await tx.users.add(new_user())
    handled: list[Job] = []

    async def handle(job: Job) -> timedelta | None:
        handled.append(job)
        raise ValueError(EMAIL)

    opening = partial(open_queue, database)
    queue = PgQueuerJobQueue(opening)
    async with engine.connect() as connection:
        await connection.execute(text("UPDATE jobs SET attempts = 9"))
    await Worker(opening, handle, {}, lease=LEASE).drain()
    (parked,) = await queue.parked(limit=10)
    assert (parked.job, parked.attempts) == (handled[0], 10)
    async with engine.connect() as connection:
        log = (await connection.execute(text("SELECT traceback::text FROM job_log"))).scalars().all()
    assert any(entry and "ValueError" in entry for entry in log)
    assert not any(entry and EMAIL in entry for entry in log)
    assert await queue.retry_parked() == 1
    assert await queue.parked(limit=10) == []


async def test_retries_of_a_mail_do_not_use_up_the_patience_with_errors(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> None:
    async with opened(database, 9) as (settings, adapters):
        container = build_container(settings, adapters)
        await container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)
        await make_worker(settings, adapters, container).drain()

        async def fail(_job: Job) -> timedelta | None:
            raise ValueError

        async with engine.connect() as connection:
            await connection.execute(text("UPDATE jobs SET attempts = 500, execute_after = now()"))
        await Worker(adapters.open_queue, fail, {}, lease=LEASE).drain()
        assert await PgQueuerJobQueue(adapters.open_queue).parked(limit=10) == []


async def test_workers_beside_each_other_leave_one_good_token_and_no_more_mails_than_allowed(
    postgres_uow: UnitOfWork, database: str
) -> None:
    async with relay() as (taken, server), opened(database, server.port) as (settings, adapters):
        container = build_container(settings, adapters)
        await container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)
        ask = container.resolve(RequestEmailVerification)
        await asyncio.gather(*(ask.execute(email=EMAIL) for _ in range(15)))
        workers = [make_worker(settings, adapters, container) for _ in range(4)]
        await asyncio.gather(*(worker.drain() for worker in workers))
        assert len(taken.taken) == 5
        verify = container.resolve(VerifyEmail)
        with pytest.raises(InvalidToken):
            await verify.execute(proof=MailedCode(email=EMAIL, code="x"))
        links = [re.findall(r"https://\S+#(\S+)", text)[0] for text in texts(taken)]

        async def works(token: str) -> bool:
            try:
                await verify.execute(proof=token, password="a wrong guess of mine")
            except WrongPassword:
                return True
            except InvalidToken:
                return False
            raise AssertionError

        assert sum([await works(token) for token in links]) == 1


async def test_a_worker_outlives_its_database_connection(
    postgres_uow: UnitOfWork, owner: AsyncEngine, database: str
) -> None:
    handled: list[Job] = []

    async def handle(job: Job) -> timedelta | None:
        handled.append(job)
        return None

    async def has_handled(count: int) -> bool:
        # One that was not written down as done in time is done again.
        return len({job.subject for job in handled}) == count

    worker = Worker(partial(open_queue, database), handle, {}, lease=LEASE)
    async with working(worker):
        async with postgres_uow.begin() as tx:
            await tx.users.add(new_user())
        await until(partial(has_handled, 1))
        async with owner.connect() as connection:
            workers = "application_name = 'hallporter worker' AND datname = current_database()"
            cut = text(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {workers}")  # noqa: S608  (ours)
            assert (await connection.execute(cut)).scalar_one() == 1
        async with postgres_uow.begin() as tx:
            await tx.users.add(new_user("bob@example.com"))
        await until(partial(has_handled, 2))


async def test_a_worker_that_is_told_to_stop_finishes_what_it_has_begun(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> None:
    """Fault 36."""
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_job: Job) -> timedelta | None:
        begun.set()
        await go_on.wait()
        done.set()
        return None

    worker = Worker(partial(open_queue, database), handle, {}, lease=LEASE)
    running = asyncio.create_task(worker.run())
    async with postgres_uow.begin() as tx:
        await tx.users.add(new_user())
    await begun.wait()
    worker.stop()
    go_on.set()
    await running
    assert done.is_set()
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM jobs"))).scalar_one() == 0


async def test_what_is_done_by_itself_has_its_time_and_a_failure_is_only_logged(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> None:
    async with opened(database, 9) as (settings, adapters):
        worker = make_worker(settings, adapters, build_container(settings, adapters))

        async def is_scheduled() -> bool:
            async with engine.connect() as connection:
                found = await connection.execute(text("SELECT entrypoint FROM job_schedules"))
                return set(found.scalars()) == {
                    "rotate_signing_key",
                    "purge_expired",
                    "requeue_stranded_messages",
                    "erase_due_users",
                    "lift_suspensions",
                    "carry_out_factor_resets",
                    "seal_audit_entries",
                    "make_checkpoint",
                    "give_up_imports",
                }

        async with working(worker):
            await until(is_scheduled)

    tries: list[int] = []

    async def fail() -> None:
        tries.append(1)
        raise ValueError(EMAIL)

    async def nothing(_job: Job) -> timedelta | None:
        return None

    async def is_over() -> bool:
        async with engine.connect() as connection:
            query = "SELECT count(*) FROM job_schedules WHERE entrypoint = 'failing' AND last_run IS NOT NULL"
            return bool((await connection.execute(text(query))).scalar_one())

    async with engine.connect() as connection:
        due = "INSERT INTO job_schedules (expression, entrypoint, next_run) VALUES ('0 0 1 1 *', 'failing', now())"
        await connection.execute(text(due))
    upkeep = {"failing": Upkeep(cron="0 0 1 1 *", run=fail)}
    async with working(Worker(partial(open_queue, database), nothing, upkeep, lease=LEASE)):
        await until(is_over)
    assert tries == [1]


async def test_pw_09_a_busy_service_parks_no_job(postgres_uow: UnitOfWork, engine: AsyncEngine, database: str) -> None:
    async with postgres_uow.begin() as tx:
        await tx.users.add(new_user())

    async def busy(_job: Job) -> timedelta | None:
        raise HashingBusy

    async with engine.connect() as connection:
        await connection.execute(text("UPDATE jobs SET attempts = 50"))
    opening = partial(open_queue, database)
    await Worker(opening, busy, {}, lease=LEASE).drain()
    assert await PgQueuerJobQueue(opening).parked(limit=10) == []


async def test_fault_46_what_is_done_on_schedule_is_done_by_one_of_all_workers(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> None:
    runs: list[int] = []
    seen = asyncio.Event()
    cron = "0 0 1 1 *"

    async def handle(_job: Job) -> timedelta | None:
        return None

    def upkeep(number: int) -> Mapping[str, Upkeep]:
        async def run() -> None:
            runs.append(number)
            seen.set()

        return {"once": Upkeep(cron=cron, run=run)}

    async with engine.connect() as connection:
        due = "INSERT INTO job_schedules (expression, entrypoint, next_run) VALUES (:cron, 'once', now())"
        await connection.execute(text(due), {"cron": cron})
    workers = [Worker(partial(open_queue, database), handle, upkeep(number), lease=LEASE) for number in range(3)]
    running = [asyncio.create_task(worker.run()) for worker in workers]
    await seen.wait()

    async def is_scheduled_anew() -> bool:
        async with engine.connect() as connection:
            query = "SELECT count(*) FROM job_schedules WHERE next_run > now() AND status = 'queued'"
            return bool((await connection.execute(text(query))).scalar_one())

    await until(is_scheduled_anew)
    for worker in workers:
        worker.stop()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*running)
    assert len(runs) == 1
