"""Random histories of refreshing, on memory and on PostgreSQL, against a model of a few lines."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from adapters.postgres.database import open_engine
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from adapters.system.randomness import SystemRandomness
from application.sessions.authenticate import Authenticate
from application.sessions.sign_out import SignOut
from domain.ids import SessionId
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import InvalidAccessToken, InvalidRefreshToken
from domain.users.user import User
from tests.conftest import empty
from tests.world import World, make_world, memory_adapters

GRACE = timedelta(seconds=10)


class Family:
    """The model. What a token is worth is decided by its place in the list and by the time of the last rotation."""

    def __init__(self, session_id: SessionId, first: str, access_token: str) -> None:
        self.session_id = session_id
        self.tokens, self.access_token = [first], access_token
        self.alive, self.rotated_at = True, timedelta()

    def present(self, number: int, now: timedelta) -> str:
        if not self.alive:
            return "refused"
        if number == len(self.tokens) - 1:
            return "next"
        if number == len(self.tokens) - 2 and now < self.rotated_at + GRACE:
            return "same"
        self.alive = False
        return "refused"


class Histories(RuleBasedStateMachine):
    runner: asyncio.Runner
    postgres_url: str | None

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.open())
        self.families: list[Family] = []
        self.now = timedelta()

    async def open(self) -> None:
        adapters = replace(memory_adapters(), randomness=SystemRandomness())
        if self.postgres_url is not None:
            self.opened = open_engine(self.postgres_url, pool_size=2)
            engine = await self.opened.__aenter__()
            await empty(engine)
            adapters = replace(adapters, unit_of_work=PostgresUnitOfWork(engine, adapters.randomness))
        self.world: World = make_world(adapters)
        self.user: User = await self.world.register()

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.runner.run(self.opened.__aexit__(None, None, None))

    @rule()
    def sign_in(self) -> None:
        issued = self.runner.run(self.world.sign_in())
        self.families.append(Family(issued.session_id, issued.refresh_token.text, issued.access_token))

    @rule(which=st.integers(0, 5), back=st.integers(0, 3))
    def refresh(self, which: int, back: int) -> None:
        if not self.families:
            return
        family = self.families[which % len(self.families)]
        number = max(0, len(family.tokens) - 1 - back)
        expected = family.present(number, self.now)
        try:
            issued = self.runner.run(self.world.refresh(RefreshTokenSecret(family.tokens[number])))
        except InvalidRefreshToken:
            assert expected == "refused"
            return
        if expected == "next":
            assert issued.refresh_token.text not in family.tokens
            family.tokens.append(issued.refresh_token.text)
            family.rotated_at, family.access_token = self.now, issued.access_token
        else:
            assert expected == "same"
            assert (issued.refresh_token.text, issued.access_token) == (family.tokens[-1], family.access_token)

    @rule(seconds=st.sampled_from([1, 4, 9, 10, 11]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule(which=st.integers(0, 5))
    def sign_out(self, which: int) -> None:
        if self.families:
            family = self.families[which % len(self.families)]
            self.runner.run(self.world.container.resolve(SignOut).execute(session_id=family.session_id))
            family.alive = False

    @rule()
    def suspend_and_reinstate(self) -> None:
        self.runner.run(self.world.suspend(self.user.id))
        self.runner.run(self.reinstate())
        for family in self.families:
            family.alive = False

    async def reinstate(self) -> None:
        async with self.world.unit_of_work.begin() as tx:
            user = await tx.users.get(self.user.id)
            user.reinstate(at=self.world.clock.now())
            await tx.users.save(user)

    @rule(which=st.integers(0, 5))
    def ask_who_is_calling(self, which: int) -> None:
        if not self.families:
            return
        family = self.families[which % len(self.families)]
        fresh = self.now < family.rotated_at + timedelta(minutes=5) or len(family.tokens) == 1
        try:
            self.runner.run(self.world.container.resolve(Authenticate).execute(access_token=family.access_token))
        except InvalidAccessToken:
            assert not family.alive or not fresh or self.now >= timedelta(minutes=10)
        else:
            assert family.alive


@pytest.mark.parametrize("where", ["memory", "postgres"])
def test_st_07_every_history_of_tokens_goes_as_the_model_says(where: str, request: pytest.FixtureRequest) -> None:
    url: Any = request.getfixturevalue("database") if where == "postgres" else None
    with asyncio.Runner() as runner:
        machine = type("Run", (Histories,), {"runner": runner, "postgres_url": url})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=100 if where == "memory" else 25,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
