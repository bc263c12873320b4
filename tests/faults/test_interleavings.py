"""What shuts somebody out beside what they do meanwhile, in many orders (fault 18)."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest

from application.admin.suspend_user import SuspendUser
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.sessions.authenticate import Authenticate
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.issued_tokens import IssuedTokens
from application.users.change_password import ChangePassword
from application.users.update_profile import UpdateProfile
from domain.errors import DomainError
from domain.users.user import User
from tests.http.conftest import postgres_world  # noqa: F401  (a fixture)
from tests.world import PASSWORD, World, make_world

SCHEDULES = 67
NEW_PASSWORD = "a louder harbour at noon"


class Dawdling:
    """A unit of work before whose blocks others get their turn, now and then."""

    def __init__(self, unit_of_work: UnitOfWork, chance: random.Random) -> None:
        self._unit_of_work, self._chance = unit_of_work, chance

    async def _dawdle(self) -> None:
        for _ in range(self._chance.choice([0, 0, 1, 3, 10, 40])):
            await asyncio.sleep(0)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        await self._dawdle()
        async with self._unit_of_work.begin() as tx:
            yield tx
            await self._dawdle()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        await self._dawdle()
        async with self._unit_of_work.read() as tx:
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        await self._dawdle()
        async with self._unit_of_work.write() as tx:
            yield tx


@dataclass(frozen=True)
class Scene:
    """A user with a session of their own, and one of somebody who is to be shut out."""

    world: World
    user: User
    own: IssuedTokens
    others: IssuedTokens

    async def change_password(self) -> None:
        await self.world.container.resolve(ChangePassword).execute(
            user_id=self.user.id, session_id=self.own.session_id, current=PASSWORD, new=NEW_PASSWORD
        )

    async def suspend(self) -> None:
        await self.world.container.resolve(SuspendUser).execute(user_id=self.user.id, reason="spam")

    async def end_others(self) -> None:
        await self.world.container.resolve(EndOtherSessions).execute(user_id=self.user.id, keep=self.own.session_id)

    async def sign_in(self) -> IssuedTokens:
        return await self.world.sign_in(self.user.email.canonical)

    async def refresh(self) -> IssuedTokens:
        return await self.world.refresh(self.others.refresh_token)

    async def rename(self) -> None:
        principal = await self.world.container.resolve(Authenticate).execute(access_token=self.others.access_token)
        await self.world.container.resolve(UpdateProfile).execute(
            user_id=principal.user_id, changes={"display_name": "Mallory"}
        )

    async def opens_nothing(self, tokens: IssuedTokens) -> bool:
        uses: list[Callable[[], Awaitable[object]]] = [
            partial(self.world.container.resolve(Authenticate).execute, access_token=tokens.access_token),
            partial(self.world.refresh, tokens.refresh_token),
        ]
        return all([await _refused(use) for use in uses])


async def _refused(use: Callable[[], Awaitable[object]]) -> bool:
    try:
        await use()
    except DomainError:
        return True
    return False


SHUT_OUT: Mapping[str, tuple[Callable[[Scene], Awaitable[None]], tuple[Callable[[Scene], Awaitable[object]], ...]]] = {
    "another password": (Scene.change_password, (Scene.sign_in, Scene.refresh, Scene.refresh, Scene.rename)),
    "suspension": (Scene.suspend, (Scene.sign_in, Scene.refresh, Scene.refresh, Scene.rename)),
    # Whoever knows the password may come in again.
    "the end of all other sessions": (Scene.end_others, (Scene.refresh, Scene.refresh, Scene.rename)),
}


@pytest.mark.parametrize("by", SHUT_OUT)
async def test_fault_18_whoever_is_shut_out_is_out_in_whatever_order_it_happens(
    postgres_world: World,  # noqa: F811  (as imported)
    by: str,
) -> None:
    shut_out, meanwhile = SHUT_OUT[by]
    were_in = 0
    for schedule in range(SCHEDULES):
        chance = random.Random(f"{by} {schedule}")  # noqa: S311  (to be had again)
        dawdling = Dawdling(postgres_world.unit_of_work, chance)
        world = make_world(replace(postgres_world.adapters, unit_of_work=dawdling))
        email = f"user{schedule}@example.com"
        user = await world.register(email)
        scene = Scene(world, user, await world.sign_in(email), await world.sign_in(email))
        acts = [shut_out, *meanwhile]
        chance.shuffle(acts)
        outcomes = await asyncio.gather(*(act(scene) for act in acts), return_exceptions=True)
        for outcome in outcomes:
            assert not isinstance(outcome, BaseException) or isinstance(outcome, DomainError), (schedule, outcome)
        if isinstance(outcomes[acts.index(shut_out)], DomainError):
            # Somebody else was faster: who asked is told so, and asks again.
            await shut_out(scene)
        given = [outcome for outcome in outcomes if isinstance(outcome, IssuedTokens)]
        for tokens in (scene.others, *given):
            assert await scene.opens_nothing(tokens), (schedule, acts)
        were_in += len(given)
    # Else nothing was tried.
    assert were_in > 0
