"""Transactions that got into each other's way are done all over again (fault 12)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from adapters.http.retries import retried
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.ports.unit_of_work import DatabaseUnavailable, Transaction, TransactionConflict
from domain.errors import ConcurrentUpdate, DomainError
from tests.http.conftest import register, sign_in, signed_in
from tests.world import World

CONFLICT = TransactionConflict(retry_after=timedelta(seconds=1))
AWAY = DatabaseUnavailable(retry_after=timedelta(seconds=1))


def failing(*errors: DomainError) -> Callable[[], Awaitable[str]]:
    left = list(errors)

    async def handle() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return handle


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def sleep(pauses: list[float]) -> Callable[[float], Awaitable[None]]:
    async def note(seconds: float) -> None:
        pauses.append(seconds)

    return note


async def test_two_conflicts_are_got_over_after_short_pauses(
    sleep: Callable[[float], Awaitable[None]], pauses: list[float]
) -> None:
    assert await retried(failing(CONFLICT, CONFLICT), sleep=sleep) == "done"
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.03
    assert 0 <= pauses[1] <= 0.06


async def test_the_third_is_answered(sleep: Callable[[float], Awaitable[None]], pauses: list[float]) -> None:
    with pytest.raises(TransactionConflict):
        await retried(failing(CONFLICT, CONFLICT, CONFLICT), sleep=sleep)
    assert len(pauses) == 2


@pytest.mark.parametrize("refusal", [AWAY, ConcurrentUpdate()])
async def test_nothing_else_is_tried_again(
    sleep: Callable[[float], Awaitable[None]], pauses: list[float], refusal: DomainError
) -> None:
    with pytest.raises(type(refusal)):
        await retried(failing(refusal), sleep=sleep)
    assert pauses == []


class Conflicts:
    """A unit of work whose next commits collide with somebody's."""

    def __init__(self, memory: MemoryUnitOfWork) -> None:
        self._begin = memory.begin
        self._write = memory.write
        self.left = 0

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        return self._colliding(self._begin())

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        return self._colliding(self._write())

    @asynccontextmanager
    async def _colliding(self, block: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        async with block as tx:
            yield tx
            if self.left:
                self.left -= 1
                raise CONFLICT


@pytest.fixture
def world(memory_world: World) -> World:
    return memory_world


@pytest.fixture
def conflicts(world: World, monkeypatch: pytest.MonkeyPatch) -> Conflicts:
    assert isinstance(world.unit_of_work, MemoryUnitOfWork)
    conflicts = Conflicts(world.unit_of_work)
    monkeypatch.setattr(world.unit_of_work, "begin", conflicts.begin)
    monkeypatch.setattr(world.unit_of_work, "write", conflicts.write)
    return conflicts


async def test_a_request_that_collides_twice_succeeds_and_counts_once(
    client: httpx.AsyncClient, world: World, conflicts: Conflicts
) -> None:
    conflicts.left = 2
    answer = await register(client)
    assert answer.status_code == 201
    assert len(await world.work()) == 1
    assert (await sign_in(client)).status_code == 201


async def test_a_request_that_collides_three_times_is_told_when_to_come_back(
    client: httpx.AsyncClient, conflicts: Conflicts
) -> None:
    bearer = await signed_in(client)
    conflicts.left = 3
    answer = await client.patch("/v1/users/me", json={"display_name": "Ada"}, headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (503, "transaction_conflict")
    assert answer.headers["retry-after"] == "1"
    assert (await client.get("/v1/users/me", headers=bearer)).json()["display_name"] is None
