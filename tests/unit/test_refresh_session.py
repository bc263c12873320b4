"""Refreshing: rotation, the same answer again, and what happens to whoever comes too late (ST-04, ST-07)."""

from datetime import timedelta

import pytest

from adapters.memory.token_sealer import MemoryTokenSealer
from application.sessions.authenticate import Authenticate
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.sign_out import SignOut
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import InvalidAccessToken, InvalidRefreshToken
from tests.world import SETTINGS, World, make_world


async def signed_in(world: World) -> IssuedTokens:
    await world.register()
    return await world.sign_in()


async def is_refused(world: World, token: RefreshTokenSecret) -> bool:
    try:
        await world.refresh(token)
    except InvalidRefreshToken:
        return True
    return False


async def test_each_refresh_gives_the_next_tokens_of_the_same_session(world: World) -> None:
    first = await signed_in(world)
    second = await world.refresh(first.refresh_token)
    third = await world.refresh(second.refresh_token)
    assert len({tokens.refresh_token.text for tokens in (first, second, third)}) == 3
    assert {tokens.session_id for tokens in (second, third)} == {first.session_id}
    principal = await world.container.resolve(Authenticate).execute(access_token=third.access_token)
    assert principal.session_id == first.session_id
    assert third.access_token_lifetime == timedelta(minutes=10)


async def test_older_access_tokens_stay_good_for_their_time(world: World) -> None:
    first = await signed_in(world)
    await world.refresh(first.refresh_token)
    principal = await world.container.resolve(Authenticate).execute(access_token=first.access_token)
    assert principal.session_id == first.session_id


async def test_the_same_token_a_moment_later_gets_the_same_answer(world: World) -> None:
    first = await signed_in(world)
    second = await world.refresh(first.refresh_token)
    assert await world.refresh(first.refresh_token) == second
    world.clock.advance(timedelta(seconds=9))
    again = await world.refresh(first.refresh_token)
    assert (again.access_token, again.refresh_token) == (second.access_token, second.refresh_token)
    assert again.access_token_lifetime == timedelta(minutes=10) - timedelta(seconds=9)
    assert not await is_refused(world, second.refresh_token)


@pytest.mark.parametrize("seconds", [10, 11, 3600])
async def test_after_the_grace_period_it_ends_the_family(world: World, seconds: int) -> None:
    first = await signed_in(world)
    second = await world.refresh(first.refresh_token)
    world.clock.advance(timedelta(seconds=seconds))
    assert await is_refused(world, first.refresh_token)
    assert await is_refused(world, second.refresh_token)
    with pytest.raises(InvalidAccessToken):
        await world.container.resolve(Authenticate).execute(access_token=second.access_token)


async def test_the_revocation_is_kept_and_written_down_although_the_answer_is_a_refusal(world: World) -> None:
    """LA-02, ST-07."""
    first = await signed_in(world)
    await world.refresh(first.refresh_token)
    world.clock.advance(timedelta(seconds=11))
    assert await is_refused(world, first.refresh_token)
    async with world.unit_of_work.read() as tx:
        session = await tx.sessions.get(first.session_id)
        (reused, ended) = await tx.audit.of_user(session.user_id, limit=2)
    assert session.end_reason == "refresh_token_reused"
    assert reused.event == "session.token_reuse_detected"
    assert (ended.event, ended.details["reason"]) == ("session.ended", "refresh_token_reused")


async def test_incident_62_two_generations_back_is_too_far_within_the_grace_period_too(world: World) -> None:
    first = await signed_in(world)
    second = await world.refresh(first.refresh_token)
    third = await world.refresh(second.refresh_token)
    assert await is_refused(world, first.refresh_token)
    assert await is_refused(world, third.refresh_token)


async def test_one_family_does_not_answer_for_another(world: World) -> None:
    first = await signed_in(world)
    other = await world.sign_in()
    await world.refresh(first.refresh_token)
    world.clock.advance(timedelta(seconds=11))
    assert await is_refused(world, first.refresh_token)
    assert not await is_refused(world, other.refresh_token)


async def test_without_grace_each_token_is_good_once(world: World) -> None:
    strict = make_world(world.adapters, SETTINGS.model_copy(update={"refresh_grace_seconds": 0}))
    first = await signed_in(strict)
    second = await strict.refresh(first.refresh_token)
    assert await is_refused(strict, first.refresh_token)
    assert await is_refused(strict, second.refresh_token)


async def test_st_04_refreshing_does_not_move_the_end_of_the_session(world: World) -> None:
    tokens = await signed_in(world)
    for _ in range(29):
        world.clock.advance(timedelta(days=1))
        tokens = await world.refresh(tokens.refresh_token)
    world.clock.advance(timedelta(days=1) - timedelta(seconds=1))
    tokens = await world.refresh(tokens.refresh_token)
    world.clock.advance(timedelta(seconds=1))
    assert await is_refused(world, tokens.refresh_token)


async def test_st_04_a_session_that_nobody_refreshes_ends(world: World) -> None:
    tokens = await signed_in(world)
    world.clock.advance(timedelta(days=14) - timedelta(seconds=1))
    tokens = await world.refresh(tokens.refresh_token)
    world.clock.advance(timedelta(days=14))
    assert await is_refused(world, tokens.refresh_token)


async def test_st_03_after_signing_out_nothing_is_refreshed(world: World) -> None:
    first = await signed_in(world)
    second = await world.refresh(first.refresh_token)
    await world.container.resolve(SignOut).execute(session_id=first.session_id)
    assert await is_refused(world, second.refresh_token)
    assert await is_refused(world, first.refresh_token)
    async with world.unit_of_work.read() as tx:
        assert (await tx.sessions.get(first.session_id)).end_reason == "signed_out"


async def test_st_05_a_suspended_user_refreshes_nothing_and_neither_does_a_reinstated_one(world: World) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    await world.suspend(user.id)
    assert await is_refused(world, tokens.refresh_token)
    async with world.unit_of_work.begin() as tx:
        stored = await tx.users.get(user.id)
        stored.reinstate(at=world.clock.now())
        await tx.users.save(stored)
    assert await is_refused(world, tokens.refresh_token)


async def test_what_is_no_token_or_nobodys_is_refused(world: World) -> None:
    await signed_in(world)
    for text in ("", "x", "hp_rt_" + "A" * 43 + "_00000000"):
        assert await is_refused(world, RefreshTokenSecret(text))
    assert await is_refused(world, RefreshTokenSecret.from_random(bytes(32)))


async def test_an_answer_that_cannot_be_opened_is_a_refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 28."""
    first = await signed_in(world)
    monkeypatch.setattr(MemoryTokenSealer, "seal", lambda *_, **__: "damaged")
    await world.refresh(first.refresh_token)
    assert await is_refused(world, first.refresh_token)
