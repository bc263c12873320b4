"""Suspending, asked for again."""

import pytest

from application.admin.reinstate_user import ReinstateUser
from application.admin.suspend_user import SuspendUser
from application.idempotency.claim_request import ClaimRequest
from domain.errors import ConcurrentUpdate
from domain.idempotency.idempotent_request import IdempotencyPolicy, Once
from tests.world import World


async def claim(world: World) -> Once:
    once = await world.container.resolve(ClaimRequest).execute(
        principal="porter", route="suspend_user", key="the key", body=b"the body"
    )
    assert isinstance(once, Once)
    return once


async def test_fault_14_what_was_done_before_is_told_again_and_not_done_again(world: World) -> None:
    user = await world.register()
    suspend = world.container.resolve(SuspendUser)
    made = await suspend.execute(user_id=user.id, reason="spam", once=await claim(world))
    world.clock.advance(IdempotencyPolicy().claimed_for)
    again = await claim(world)
    assert again.acted
    assert await suspend.execute(user_id=user.id, reason="spam", once=again) == made
    await world.container.resolve(ReinstateUser).execute(user_id=user.id)
    with pytest.raises(ConcurrentUpdate):
        await suspend.execute(user_id=user.id, reason="spam", once=again)
    assert (await world.user()).is_active
    assert (await world.events_of(user.id)).count("user.suspended") == 1
