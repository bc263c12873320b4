"""Another server takes over (fault 6): a real primary, a real standby, and callers meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, text

from adapters.postgres import database as postgres
from adapters.postgres import schema
from adapters.postgres.database import open_engine
from adapters.postgres.problems import DatabaseProblem
from adapters.postgres.urls import asyncpg_url
from tests.e2e.test_service import PASSWORD, serving
from tests.standby import Pair, folder_of, primary_and_standby

CALLERS = 4
# Far more than anything here takes.
LONG = 120.0
# Answers that come late find the same token good, and nobody is told to wait for having asked meanwhile.
PATIENT = {"REFRESH_GRACE_SECONDS": "60", "LIMIT_GUESSES": "1000/minute", "LIMIT_REGISTRATIONS": "9999/minute"}


@pytest.fixture
def pair(home: Path, tmp_path: Path) -> Iterator[Pair]:
    with primary_and_standby(home, tmp_path / "copy") as pair:
        yield pair


class Callers:
    """Some who are signed in and go on calling, and what they were answered."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._round = asyncio.Event()
        self._stopping = False
        self.answers: Counter[tuple[str, int]] = Counter()
        self.registered: set[str] = set()

    async def call(self, number: int) -> None:
        """Refresh, look who one is and sign in again, until told to stop."""
        person = {"email": f"user{number}@example.com", "password": PASSWORD}
        refresh_token = (await self._client.post("/v1/sessions", json=person)).json()["refresh_token"]
        while not self._stopping:
            body = {"refresh_token": refresh_token}
            if refreshed := await self._answer("refresh", "POST", "/v1/sessions/refresh", body):
                refresh_token = refreshed["refresh_token"]
                me = {"Authorization": f"Bearer {refreshed['access_token']}"}
                found = await self._answer("me", "GET", "/v1/users/me", headers=me)
                assert found is None or found["email"] == person["email"]
            await self._answer("sign in", "POST", "/v1/sessions", person)

    async def register(self) -> None:
        """Register one after the other, until told to stop."""
        for number in count():
            person = {"email": f"new{number}@example.com", "password": PASSWORD}
            if await self._answer("register", "POST", "/v1/users", person):
                self.registered.add(person["email"])
            if self._stopping:
                return

    async def see(self, status: int, times: int) -> None:
        """Return once every operation was answered so, so often from now on."""
        before = self.answers.copy()
        while any(
            self.answers[what, status] - before[what, status] < times
            for what in ("refresh", "sign in", "register", *(("me",) if status < 300 else ()))
        ):
            self._round.clear()
            await self._round.wait()

    def stop(self) -> None:
        self._stopping = True

    async def _answer(
        self, what: str, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> dict[str, str] | None:
        answer = await self._client.request(method, path, json=body, headers=headers)
        self.answers[what, 200 if answer.is_success else answer.status_code] += 1
        self._round.set()
        if answer.is_success:
            return dict(answer.json())
        assert answer.status_code == 503, answer.text
        assert answer.json()["code"] in {"database_unavailable", "throttles_unavailable"}
        assert int(answer.headers["retry-after"]) > 0
        return None


@asynccontextmanager
async def calling(address: str) -> AsyncIterator[Callers]:
    """Callers, for as long as the block."""
    async with httpx.AsyncClient(base_url=address, timeout=LONG) as client:
        callers = Callers(client)
        for number in range(CALLERS):
            person = {"email": f"user{number}@example.com", "password": PASSWORD}
            assert (await client.post("/v1/users", json=person)).status_code == 201
        async with asyncio.TaskGroup() as tasks:
            for number in range(CALLERS):
                tasks.create_task(callers.call(number))
            tasks.create_task(callers.register())
            try:
                yield callers
            finally:
                callers.stop()


async def test_fault_6_a_standby_takes_over_and_nothing_that_was_acknowledged_is_lost(pair: Pair, home: Path) -> None:
    """Nobody is told anything wrong: 503 in between, and then everybody goes on with the tokens they have."""

    async def fail_over(address: str) -> set[str]:
        async with asyncio.timeout(LONG), calling(address) as callers:
            await callers.see(200, times=2)
            await asyncio.to_thread(pair.kill_primary)
            await callers.see(503, times=2)
            await asyncio.to_thread(pair.promote)
            await callers.see(200, times=2)
        return callers.registered

    with serving(home, DATABASE_URL=pair.url, **PATIENT) as (address, _):  # type: ignore[arg-type]
        registered = await fail_over(address)
    async with open_engine(asyncpg_url(pair.url)) as engine, engine.connect() as connection:
        kept = set((await connection.execute(text("SELECT email FROM users"))).scalars())
        assert (await connection.execute(text("SELECT pg_is_in_recovery()"))).scalar_one() is False
    assert len(registered) >= 4
    assert registered <= kept


async def test_fault_6_a_standby_that_nobody_promoted_is_not_written_to(pair: Pair) -> None:
    await schema.migrate(asyncpg_url(pair.url))
    pair.kill_primary()
    with pytest.raises(DatabaseProblem, match=f"None of .* {folder_of(pair.standby)}:5432 takes writes"):
        await schema.expect_up_to_date(asyncpg_url(pair.url))
    pair.promote()
    await schema.expect_up_to_date(asyncpg_url(pair.url))


async def test_fault_4_a_server_that_says_nothing_hides_none_behind_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it asked again, as long as the other one answers."""
    monkeypatch.setattr(postgres, "_CONNECT_TIMEOUT", 1.0)
    asked = 0
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await over.wait()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as silent:
        there = make_url(database)
        host, port = there.query.get("host", there.host), there.port or 5432
        ports = f"{silent.sockets[0].getsockname()[1]},{port}"
        both = there.set(host=None, port=None, query={"host": f"127.0.0.1,{host}", "port": ports})
        url = both.render_as_string(hide_password=False)
        async with open_engine(url) as engine, engine.connect() as one, engine.connect() as other:
            assert [(await each.execute(text("SELECT 1"))).scalar_one() for each in (one, other)] == [1, 1]
        over.set()
    assert asked == 1
