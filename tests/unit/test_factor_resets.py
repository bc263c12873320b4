"""An operator's reset of a second factor that is held, so that its owner may object."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from application.mfa.list_factors import ListFactors
from application.mfa.remove_factor import RemoveFactor
from application.mfa.reset_factor import ResetFactor
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.reauthenticate import Reauthenticate
from application.upkeep.carry_out_factor_resets import CarryOutFactorResets
from domain.errors import InvalidFields
from domain.ids import FactorId, UserId
from domain.messages.message import MessageKind
from domain.mfa.factor import FactorNotFound, InvalidFactor
from domain.mfa.factor_reset import FactorReset
from domain.users.user import User
from tests.factors import App, answer, app_of, challenge, offered_app, recovery, totp, verified_user
from tests.passkeys import passkey_of, sign_in_by
from tests.world import SETTINGS, World, make_world

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
HELD = SETTINGS.model_copy(update={"factor_reset_hold_seconds": 86_400})


@pytest.fixture
def world() -> World:
    return make_world(settings=HELD)


class Ada:
    """Somebody with an app, a session, and an operator who is told that the app is lost."""

    def __init__(self, world: World, user: User, tokens: IssuedTokens, app: App) -> None:
        self.world = world
        self.user = user
        self.tokens = tokens
        self.app = app

    async def reset(self, factor_id: FactorId | None = None, by: UserId | None = None) -> object:
        return await self.world.container.resolve(ResetFactor).execute(
            user_id=self.user.id, factor_id=factor_id or self.app.factor_id, reason="Lost the telephone", by=by
        )

    async def carry_out(self) -> int:
        return await self.world.container.resolve(CarryOutFactorResets).execute()

    async def factors(self) -> list[FactorId]:
        found = await self.world.container.resolve(ListFactors).execute(user_id=self.user.id)
        return [factor.id for factor in found.items]

    async def held(self) -> list[FactorReset]:
        async with self.world.unit_of_work.read() as tx:
            return list(await tx.factor_resets.of_user(self.user.id))

    async def is_signed_in(self) -> bool:
        async with self.world.unit_of_work.read() as tx:
            return await tx.sessions.find_live(self.tokens.session_id, at=self.world.clock.now()) is not None

    async def mailed(self) -> list[MessageKind]:
        return [mail.kind for mail in await self.world.work()]


@pytest.fixture
async def ada(world: World) -> Ada:
    user = await verified_user(world)
    tokens = await world.sign_in()
    ada = Ada(world, user, tokens, await app_of(world, user, tokens))
    await world.work()
    return ada


async def test_rc_07_a_reset_is_told_at_once_and_done_when_it_is_due(world: World, ada: Ada) -> None:
    """Just before it nothing is different, and from the moment on it is as if it were done at once."""
    now = world.clock.now()
    assert await ada.reset() == now + DAY
    (mail,) = await world.work()
    assert mail.kind is MessageKind.FACTOR_RESET_REQUESTED
    assert mail.content["due"] == f"{now + DAY:%Y-%m-%d %H:%M} UTC"
    world.clock.advance(DAY - TICK)
    assert await ada.carry_out() == 0
    assert (await ada.factors(), await ada.is_signed_in()) == ([ada.app.factor_id], True)
    await challenge(world)
    world.clock.advance(TICK)
    assert await ada.carry_out() == 1
    assert (await ada.factors(), await ada.is_signed_in(), await ada.held()) == ([], False, [])
    assert await ada.mailed() == [MessageKind.FACTOR_RESET]
    assert (await world.container.resolve(ListFactors).execute(user_id=ada.user.id)).recovery_codes_left == 0
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(ada.user.id) if entry.event == "factor.removed"]
    assert (entry.details["by_operator"], entry.details["explanation"]) == (True, "Lost the telephone")
    await world.sign_in()
    assert await ada.carry_out() == 0


async def test_it_is_written_down_who_had_asked_for_it(world: World, ada: Ada) -> None:
    operator = await verified_user(world, "porter@example.com")
    await ada.reset(by=operator.id)
    world.clock.advance(DAY)
    await ada.carry_out()
    async with world.unit_of_work.read() as tx:
        entries = {entry.event: entry for entry in await tx.audit.of_user(ada.user.id)}
    assert [entries[name].details["by"] for name in ("factor.reset_requested", "factor.removed")] == 2 * [
        str(operator.id)
    ]


async def test_who_asks_again_while_it_is_held_changes_nothing(world: World, ada: Ada) -> None:
    due_at = await ada.reset()
    held = await ada.held()
    await world.work()
    world.clock.advance(DAY / 2)
    assert await ada.reset() == due_at
    assert (await ada.held(), await ada.mailed()) == (held, [])
    with pytest.raises(InvalidFields):
        await world.container.resolve(ResetFactor).execute(user_id=ada.user.id, factor_id=ada.app.factor_id, reason=" ")


async def use_the_app(ada: Ada) -> None:
    await answer(ada.world, await challenge(ada.world), totp(ada.app.next_code()))


async def use_a_recovery_code(ada: Ada) -> None:
    await answer(ada.world, await challenge(ada.world), recovery(ada.app.codes[0]))


async def prove_again(ada: Ada) -> None:
    await ada.world.container.resolve(Reauthenticate).execute(
        user_id=ada.user.id, session_id=ada.tokens.session_id, proof=totp(ada.app.next_code())
    )


@pytest.mark.parametrize("use", [use_the_app, use_a_recovery_code, prove_again])
async def test_rc_07_whoever_uses_a_factor_keeps_all_of_them(world: World, ada: Ada, use: object) -> None:
    other = await app_of(world, ada.user, ada.tokens)
    await world.work()
    await ada.reset()
    await ada.reset(other.factor_id)
    # Two factors, one mail each.
    assert await ada.mailed() == 2 * [MessageKind.FACTOR_RESET_REQUESTED]
    world.clock.advance(DAY - timedelta(minutes=1))
    assert callable(use)
    await use(ada)
    assert await ada.held() == []
    assert (await ada.mailed()).count(MessageKind.FACTOR_RESET_CANCELLED) == 2
    assert (await world.events_of(ada.user.id)).count("factor.reset_cancelled") == 2
    world.clock.advance(DAY)
    assert await ada.carry_out() == 0
    assert await ada.factors() == [ada.app.factor_id, other.factor_id]


async def test_neither_the_password_nor_a_wrong_code_keeps_it(world: World, ada: Ada) -> None:
    await ada.reset()
    asked = await challenge(world)
    with pytest.raises(InvalidFactor):
        await answer(world, asked, totp(ada.app.wrong_code()))
    world.clock.advance(DAY)
    assert await ada.carry_out() == 1


async def test_after_it_was_kept_it_can_be_asked_for_again(world: World, ada: Ada) -> None:
    await ada.reset()
    await use_the_app(ada)
    assert await ada.reset() == world.clock.now() + DAY
    world.clock.advance(DAY)
    assert await ada.carry_out() == 1


async def test_a_factor_that_its_owner_does_without_is_not_reset(world: World, ada: Ada) -> None:
    await ada.reset()
    await world.container.resolve(RemoveFactor).execute(
        user_id=ada.user.id, session_id=ada.tokens.session_id, factor_id=ada.app.factor_id
    )
    assert await ada.held() == []
    world.clock.advance(DAY)
    epoch = (await world.user()).security_epoch
    assert (await ada.carry_out(), (await world.user()).security_epoch) == (0, epoch)


async def test_a_reset_whose_factor_has_gone_otherwise_is_void(world: World, ada: Ada) -> None:
    await ada.reset()
    async with world.unit_of_work.begin() as tx:
        (factor,) = await tx.totp_factors.of_user(ada.user.id)
        await tx.totp_factors.remove(factor)
    world.clock.advance(DAY)
    assert (await ada.carry_out(), await ada.held(), await ada.is_signed_in()) == (0, [], True)


async def test_where_nothing_is_held_any_more_it_is_done_at_once(world: World, ada: Ada) -> None:
    await ada.reset()
    at_once = make_world(world.adapters)
    assert await Ada(at_once, ada.user, ada.tokens, ada.app).reset() is None
    assert (await ada.factors(), await ada.held()) == ([], [])


async def test_what_waits_for_its_first_code_is_none_for_operators(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await offered_app(world, user, tokens)
    with pytest.raises(FactorNotFound):
        await Ada(world, user, tokens, app).reset()


class Meanwhile:
    """Has something happen before the next block that writes."""

    def __init__(self, inner: UnitOfWork, happens: Callable[[], Awaitable[object]]) -> None:
        self._inner = inner
        self._happens = happens
        self.read = inner.read
        self.write = inner.write

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        await self._happens()
        async with self._inner.begin() as tx:
            yield tx


async def test_a_factor_that_is_used_at_the_last_moment_is_held_anew_if_it_is_asked_for_anew(
    world: World, ada: Ada
) -> None:
    await ada.reset()
    world.clock.advance(DAY)

    async def kept_and_asked_for() -> None:
        await use_the_app(ada)
        await ada.reset()

    unit_of_work = Meanwhile(world.unit_of_work, kept_and_asked_for)
    assert await CarryOutFactorResets(unit_of_work, world.clock).execute() == 0
    assert (await ada.factors(), len(await ada.held())) == ([ada.app.factor_id], 1)


async def test_nothing_is_left_to_do_for_somebody_who_was_erased(world: World, ada: Ada) -> None:
    await ada.reset()
    async with world.unit_of_work.begin() as tx:
        await tx.users.remove(ada.user.id)
    world.clock.advance(DAY)
    assert (await ada.carry_out(), await ada.held()) == (0, [])


async def test_one_that_cannot_be_done_is_logged_and_keeps_no_other(
    world: World, ada: Ada, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await verified_user(world, "bob@example.com")
    tokens = await world.sign_in("bob@example.com")
    his = Ada(world, bob, tokens, await app_of(world, bob, tokens))
    await ada.reset()
    await his.reset()
    world.clock.advance(DAY)
    enter = User.enter_new_epoch

    def fail_for_ada(user: User, *, at: object) -> None:
        if user.id == ada.user.id:
            raise ValueError
        enter(user, at=at)  # type: ignore[arg-type]

    monkeypatch.setattr(User, "enter_new_epoch", fail_for_ada)
    assert await his.carry_out() == 1
    assert (await his.factors(), await ada.factors()) == ([], [ada.app.factor_id])
    assert [record.message for record in caplog.records if record.levelname == "ERROR"][:1] == [
        f"factor {ada.app.factor_id} is to be taken away and was not"
    ]
    monkeypatch.undo()
    assert await his.carry_out() == 1


@pytest.mark.parametrize("alone", [True, False])
async def test_a_passkey_that_is_used_ends_the_hold_in_whichever_way(ada: Ada, *, alone: bool) -> None:
    key = await passkey_of(ada.world, ada.user, ada.tokens)
    await ada.reset(key.factor_id)
    await ada.reset()
    assert len(await ada.held()) == 2
    if alone:
        await sign_in_by(ada.world, await key.to_sign_in())
    else:
        waiting = await challenge(ada.world)
        await answer(ada.world, waiting, await key.for_challenge(waiting))
    assert await ada.held() == []


async def test_a_passkey_that_its_owner_removes_makes_the_hold_void(ada: Ada) -> None:
    key = await passkey_of(ada.world, ada.user, ada.tokens)
    await ada.reset(key.factor_id)
    remove = ada.world.container.resolve(RemoveFactor)
    await remove.execute(user_id=ada.user.id, session_id=ada.tokens.session_id, factor_id=key.factor_id)
    assert await ada.held() == []


async def test_a_held_reset_takes_a_passkey_away_when_it_is_due(ada: Ada) -> None:
    key = await passkey_of(ada.world, ada.user, ada.tokens)
    await ada.reset(key.factor_id)
    ada.world.clock.advance(DAY)
    assert await ada.carry_out() == 1
    assert await ada.factors() == [ada.app.factor_id]
