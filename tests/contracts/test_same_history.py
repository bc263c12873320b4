"""Memory and PostgreSQL, driven with the same random history, must answer the same or refuse the same."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.clock import MemoryClock
from adapters.memory.sessions import MemorySessionRepository
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.memory.users import MemoryUserRepository
from adapters.postgres.database import open_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.ports.user_search import UserFilter, UserOrder, UserStatus
from domain.errors import DomainError
from domain.ids import SessionId, UserId
from domain.sessions.session import EndReason
from tests.conftest import empty
from tests.world import new_session, new_user

type Act = Callable[[Transaction], Awaitable[object]]

people = st.sampled_from(["ada@example.com", "ADA@example.com", "bob@example.com", "eve@example.com"])
numbers = st.integers(min_value=0, max_value=3)


class History(RuleBasedStateMachine):
    """Each rule does one thing in a transaction on both, and compares what came of it."""

    runner: asyncio.Runner
    postgres_url: str

    @initialize()
    def begin(self) -> None:
        self.clock = MemoryClock()
        self.engine: AsyncEngine = self.runner.run(self.open())
        randomness = SystemRandomness()
        self.pair: tuple[UnitOfWork, UnitOfWork] = (
            MemoryUnitOfWork(randomness),
            PostgresUnitOfWork(self.engine, randomness),
        )
        self.users: list[UserId] = []
        self.sessions: list[SessionId] = []

    async def open(self) -> AsyncEngine:
        self.opened = open_engine(self.postgres_url, pool_size=2)
        engine = await self.opened.__aenter__()
        await empty(engine)
        return engine

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.runner.run(self.opened.__aexit__(None, None, None))

    def both(self, act: Act) -> object:
        self.clock.advance(timedelta(seconds=1))
        memory, postgres = (self.runner.run(outcome(unit_of_work, act)) for unit_of_work in self.pair)
        assert memory == postgres
        return memory

    def user(self, number: int) -> UserId:
        return self.users[number % len(self.users)] if self.users else new_user().id

    def session(self, number: int) -> SessionId:
        return self.sessions[number % len(self.sessions)] if self.sessions else new_session(new_user()).id

    @rule(email=people)
    def register(self, email: str) -> None:
        user = new_user(email)

        async def act(tx: Transaction) -> object:
            mine = copy.deepcopy(user)
            await tx.users.add(mine)
            return mine.version

        if self.both(act) == 1:
            self.users.append(user.id)

    @rule(number=numbers, name=st.sampled_from(["Ada", "Bob", None]))
    def rename(self, number: int, name: str | None) -> None:
        async def act(tx: Transaction) -> object:
            user = await tx.users.get(self.user(number))
            user.update_profile(at=self.clock.now(), display_name=name)
            await tx.users.save(user)
            return user

        self.both(act)

    @rule(number=numbers, email=people)
    def move(self, number: int, email: str) -> None:
        async def act(tx: Transaction) -> object:
            user = await tx.users.get(self.user(number))
            user.email = new_user(email).email
            await tx.users.save(user)
            return user

        self.both(act)

    @rule(number=numbers, suspend=st.booleans())
    def suspend_or_reinstate(self, number: int, *, suspend: bool) -> None:
        async def act(tx: Transaction) -> object:
            user = await tx.users.get(self.user(number))
            user.suspend(reason="spam", at=self.clock.now()) if suspend else user.reinstate(at=self.clock.now())
            await tx.users.save(user)
            return user

        self.both(act)

    @rule(number=numbers)
    def save_a_stale_copy(self, number: int) -> None:
        async def act(tx: Transaction) -> object:
            user = await tx.users.get(self.user(number))
            user.version -= 1
            await tx.users.save(user)
            return user

        self.both(act)

    @rule(number=numbers)
    def sign_in(self, number: int) -> None:
        session_id = new_session(new_user()).id

        async def act(tx: Transaction) -> object:
            mine = new_session(await tx.users.get(self.user(number)), session_id=session_id)
            await tx.sessions.add(mine)
            return mine.version

        if self.both(act) == 1:
            self.sessions.append(session_id)

    @rule(number=numbers)
    def sign_out(self, number: int) -> None:
        async def act(tx: Transaction) -> object:
            session = await tx.sessions.lock(self.session(number))
            if session.end(reason=EndReason.SIGNED_OUT, at=self.clock.now()):
                await tx.sessions.save(session)
            return session

        self.both(act)

    @rule(number=numbers, email=people)
    def write_and_then_fail(self, number: int, email: str) -> None:
        async def act(tx: Transaction) -> object:
            user = await tx.users.get(self.user(number))
            user.update_profile(at=self.clock.now(), display_name="never seen")
            await tx.users.save(user)
            await tx.users.add(new_user(email))
            await tx.users.get(new_user().id)
            return "not reached"

        self.both(act)

    @rule(number=numbers, email=people)
    def read_everything(self, number: int, email: str) -> None:
        async def act(tx: Transaction) -> object:
            user_id = self.user(number)
            return (
                await tx.users.find_by_email(new_user(email).email),
                [
                    await tx.users.page(only=UserFilter(status=status), order=order, after=None, limit=2)
                    for order in UserOrder
                    for status in (None, *UserStatus)
                ],
                await tx.sessions.find_live(self.session(number), at=self.clock.now()),
                [(entry.event, entry.details) for entry in await tx.audit.of_user(user_id, limit=5)],
            )

        self.both(act)


async def outcome(unit_of_work: UnitOfWork, act: Act) -> object:
    """What came of it: the answer, or the kind of the refusal."""
    try:
        async with unit_of_work.begin() as tx:
            return await act(tx)
    except DomainError as refusal:
        return type(refusal)


def history(runner: asyncio.Runner, database: str) -> type[History]:
    return type("Run", (History,), {"runner": runner, "postgres_url": database})


def test_memory_and_postgres_answer_every_history_alike(database: str) -> None:
    with asyncio.Runner() as runner:
        run_state_machine_as_test(
            history(runner, database),
            settings=settings(
                max_examples=45, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )


@pytest.mark.parametrize(
    ("repository", "method"), [(MemoryUserRepository, "page"), (MemorySessionRepository, "find_live")]
)
def test_a_difference_would_be_found(
    database: str, repository: type, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(repository, method, nothing)
    with asyncio.Runner() as runner:
        machine = history(runner, database)()
        machine.begin()
        machine.register("ada@example.com")
        machine.sign_in(0)
        with pytest.raises(AssertionError):
            machine.read_everything(0, "ada@example.com")
        machine.teardown()
