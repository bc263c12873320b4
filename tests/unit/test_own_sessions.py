"""Listing and ending one's own sessions (ST-06)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.system.randomness import SystemRandomness
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.list_sessions import ListSessions
from domain.ids import SessionId, UserId
from domain.sessions.session import SessionNotFound
from tests.world import SETTINGS, World, make_world


async def listed(world: World, user_id: UserId) -> list[SessionId]:
    return [session.id for session in await world.container.resolve(ListSessions).execute(user_id=user_id)]


async def test_live_sessions_are_listed_last_signed_in_first(world: World) -> None:
    ada, eve = await world.register(), await world.register("eve@example.com")
    first, second = await world.sign_in(), await world.sign_in()
    await world.sign_in("eve@example.com")
    assert await listed(world, ada.id) == [second.session_id, first.session_id]
    assert len(await listed(world, eve.id)) == 1


async def test_what_is_over_is_not_listed(world: World) -> None:
    user = await world.register()
    idle = await world.sign_in()
    world.clock.advance(timedelta(days=13))
    used = await world.sign_in()
    world.clock.advance(timedelta(days=1))
    assert await listed(world, user.id) == [used.session_id]
    await world.container.resolve(EndSession).execute(user_id=user.id, session_id=used.session_id)
    assert await listed(world, user.id) == []
    assert idle.session_id != used.session_id


async def test_a_session_can_be_ended_from_another(world: World) -> None:
    user = await world.register()
    first, second = await world.sign_in(), await world.sign_in()
    await world.container.resolve(EndSession).execute(user_id=user.id, session_id=first.session_id)
    assert await listed(world, user.id) == [second.session_id]
    assert (await world.events_of(user.id))[0] == "session.ended"


async def test_ad_02_a_foreign_session_is_not_there_and_neither_is_one_that_is_over(world: World) -> None:
    ada, eve = await world.register(), await world.register("eve@example.com")
    hers = await world.sign_in("eve@example.com")
    end = world.container.resolve(EndSession)
    with pytest.raises(SessionNotFound):
        await end.execute(user_id=ada.id, session_id=hers.session_id)
    await end.execute(user_id=eve.id, session_id=hers.session_id)
    with pytest.raises(SessionNotFound):
        await end.execute(user_id=eve.id, session_id=hers.session_id)


async def test_all_others_can_be_ended_at_once(world: World) -> None:
    user = await world.register()
    sessions = [await world.sign_in() for _ in range(4)]
    end_others = world.container.resolve(EndOtherSessions)
    for _ in range(2):
        await end_others.execute(user_id=user.id, keep=sessions[1].session_id)
        assert await listed(world, user.id) == [sessions[1].session_id]
    assert (await world.events_of(user.id)).count("session.ended") == 3


async def test_beyond_the_limit_the_oldest_sessions_end(world: World) -> None:
    limited = make_world(world.adapters, SETTINGS.model_copy(update={"session_limit_per_user": 3}))
    user = await limited.register()
    sessions = [await limited.sign_in() for _ in range(5)]
    assert await listed(limited, user.id) == [session.session_id for session in sessions[:1:-1]]
    async with limited.unit_of_work.read() as tx:
        assert (await tx.sessions.get(sessions[0].session_id)).end_reason == "too_many"


async def test_the_session_that_was_just_opened_is_never_the_one_to_go(world: World) -> None:
    # Within one millisecond the ids of sessions have no order.
    adapters = replace(world.adapters, randomness=SystemRandomness())
    limited = make_world(adapters, SETTINGS.model_copy(update={"session_limit_per_user": 1}))
    user = await limited.register()
    for _ in range(20):
        newest = await limited.sign_in()
        assert await listed(limited, user.id) == [newest.session_id]
