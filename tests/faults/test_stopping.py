"""Being told to stop while there is work (fault 36)."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Receive, Scope, Send

from adapters.http import server as shipped
from adapters.http.limits import LEAVING, ConnectionLimits
from adapters.http.protocol import ArmouredProtocol
from adapters.http.server import DrainingServer, server_config
from adapters.jobs.worker import Worker
from adapters.postgres.jobs import open_queue
from application.ports.jobs import Job
from application.ports.unit_of_work import UnitOfWork
from entrypoints import worker as workers
from tests.e2e.test_raw_sockets import GET, Client
from tests.e2e.test_service import PASSWORD, serving
from tests.faults.kept_connections import Caller, request
from tests.world import new_user

KUBERNETES_KILLS_AFTER = 30
PERSON = {"email": "ada@example.com", "password": PASSWORD}


def server_of(home: Path) -> psutil.Process:
    """The process that was started; those that it started are below."""
    (found,) = (
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "serve" in (process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("HALLPORTER_HOME") == str(home)
    )
    return found


@pytest.mark.parametrize("processes", ["1", "2"])
def test_fault_36_every_request_of_kept_connections_is_answered_when_the_service_is_told_to_stop(
    home: Path, processes: str
) -> None:
    with serving(home, "--workers", processes) as (address, _):
        httpx.post(f"{address}/v1/users", json=PERSON, timeout=30)
        tokens = httpx.post(f"{address}/v1/sessions", json=PERSON, timeout=30).json()
        netloc = urlsplit(address).netloc
        me = request(netloc, "GET", "/v1/users/me", token=tokens["access_token"])
        # Wrong passwords cost as much as right ones, and sign nobody out.
        sign_in = request(netloc, "POST", "/v1/sessions", PERSON)
        callers = [Caller(netloc, me) for _ in range(12)] + [Caller(netloc, sign_in) for _ in range(2)]

        async def under_load() -> None:
            calling = [asyncio.create_task(caller.call()) for caller in callers]
            while sum(len(caller.statuses) for caller in callers) < 200:  # noqa: ASYNC110  (there is no event that says so)
                await asyncio.sleep(0.005)
            server_of(home).send_signal(signal.SIGTERM)
            await asyncio.wait_for(asyncio.gather(*calling), KUBERNETES_KILLS_AFTER)

        asyncio.run(under_load())
    assert [caller.failed for caller in callers] == [""] * len(callers)
    assert {status for caller in callers for status in caller.statuses} <= {200, 201, 429}


class Patient(ArmouredProtocol):
    limits: ClassVar[ConnectionLimits] = ConnectionLimits(leave_seconds=60, idle_seconds=60)


class Hasty(ArmouredProtocol):
    limits: ClassVar[ConnectionLimits] = ConnectionLimits(leave_seconds=0, idle_seconds=60)


class Stopped:
    """A server in a thread of its own, which a test tells to stop."""

    def __init__(self, protocol: type[ArmouredProtocol], app: object, *, patience: float = 30) -> None:
        config = server_config(app, protocol=protocol)
        config.timeout_graceful_shutdown = patience  # type: ignore[assignment]
        self._server = DrainingServer(config)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.thread = threading.Thread(target=self._server.run, args=([self._listener],))

    def tell_before_it_starts(self) -> None:
        self._server.should_exit = True
        self.thread.start()

    def tell(self) -> None:
        """Tell it, and return when it lets nobody in any more."""
        self._server.should_exit = True
        with suppress(ConnectionError):
            while True:
                socket.create_connection(self.address).close()
                time.sleep(0.005)

    def has_ended(self) -> bool:
        self.thread.join(timeout=30)
        return not self.thread.is_alive()


@contextmanager
def stopped(protocol: type[ArmouredProtocol], app: object, *, patience: float = 30) -> Iterator[Stopped]:
    server = Stopped(protocol, app, patience=patience)
    server.thread.start()
    yield server
    assert server.has_ended()


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def test_fault_36_a_request_that_was_under_way_is_answered_and_told_that_it_was_the_last() -> None:
    with stopped(Patient, fine) as server, Client(server.address) as client:
        assert "connection" not in client.ask(GET, b"\r\n").headers
        server.tell()
        answer = client.ask(GET, b"\r\n")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert client.is_closed()


def test_fault_36_who_knocked_before_is_let_in() -> None:
    server = Stopped(Patient, fine)
    with Client(server.address) as first, Client(server.address) as second:
        first.send(GET, b"\r\n")
        server.tell_before_it_starts()
        assert first.answer().status == 200
        assert second.ask(GET, b"\r\n").status == 200
    assert server.has_ended()


def test_fault_36_a_connection_that_asks_nothing_more_is_closed_soon() -> None:
    with stopped(Hasty, fine) as server, Client(server.address) as client:
        client.ask(GET, b"\r\n")
        server.tell()
        assert client.is_closed()


def test_fault_36_whoever_hangs_in_the_middle_of_a_request_is_waited_for_no_longer_than_there_is_time() -> None:
    with stopped(Patient, fine, patience=0.1) as server, Client(server.address) as client:
        client.send(b"GET /livez HT")
        server.tell()
        assert server.has_ended()
    together = shipped._DRAIN_SECONDS, (workers._DRAIN + workers._PUT_BACK).total_seconds()  # noqa: SLF001
    assert max(together) < KUBERNETES_KILLS_AFTER


def test_fault_36_workers_are_told_together_with_the_connections() -> None:
    told: list[str] = []

    class Holding:
        """An answer that waits until the worker was told."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                scope["state"][LEAVING] = partial(told.append, "leaving")
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                told.append("left")
                await send({"type": "lifespan.shutdown.complete"})
            else:
                while not told:  # noqa: ASYNC110  (there is no event that says so)
                    await asyncio.sleep(0.005)
                await fine(scope, receive, send)

    with stopped(Patient, Holding()) as server, Client(server.address) as client:
        client.send(GET, b"\r\n")
        server.tell()
        assert client.answer().status == 200
    # Each connection says so.
    assert (told[0], told[-1]) == ("leaving", "left")


async def test_fault_36_jobs_that_take_too_long_are_put_back_for_others_and_not_left_until_the_lease_ends(
    postgres_uow: UnitOfWork, database: str, engine: AsyncEngine
) -> None:
    begun, hour = asyncio.Event(), timedelta(hours=1)
    handled: list[Job] = []

    async def hang(_job: Job) -> timedelta | None:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def handle(job: Job) -> timedelta | None:
        handled.append(job)
        return None

    async with postgres_uow.begin() as tx:
        await tx.users.add(new_user())
    slow = Worker(partial(open_queue, database), hang, {}, lease=hour)
    running = asyncio.create_task(slow.run())
    async with asyncio.timeout(30):
        await begun.wait()
        slow.stop(within=timedelta(0))
        # Who says it later, however patient, delays nothing.
        slow.stop(within=hour)
        await running
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT status::text FROM jobs"))).scalars().all() == ["queued"]
    await Worker(partial(open_queue, database), handle, {}, lease=hour).drain()
    assert len(handled) == 1
