"""How long what is over is kept, as operators choose it (PR-01)."""

from datetime import timedelta

import pytest

from application.upkeep.purge_expired import PurgeExpired
from domain.errors import NotAuthenticated
from tests.world import SETTINGS, World, make_world

CHOSEN = SETTINGS.model_copy(
    update={
        "session_retention_days": 2,
        "message_retention_days": 3,
        "sign_in_attempt_retention_days": 4,
        "audit_personal_retention_days": 5,
    }
)


async def removed_after(world: World, wait: timedelta) -> set[str]:
    world.clock.advance(wait)
    removed = await world.container.resolve(PurgeExpired).execute()
    return {name for name, count in removed.items() if count} & {
        "sessions",
        "messages",
        "sign_in_attempts",
        "personal_details",
    }


async def test_pr_01_operators_choose_how_long_what_is_over_is_kept() -> None:
    """Messages are sent at once, and sessions are over when they expire."""
    world = make_world(settings=CHOSEN)
    await world.register()
    await world.work()
    await world.sign_in()
    with pytest.raises(NotAuthenticated):
        await world.sign_in(password="another quiet harbour at noon")
    tick = timedelta(seconds=1)
    assert await removed_after(world, timedelta(days=3)) == set()
    assert await removed_after(world, tick) == {"messages"}
    assert await removed_after(world, timedelta(days=1)) == {"sign_in_attempts"}
    assert await removed_after(world, timedelta(days=1)) == {"personal_details"}
    is_over = timedelta(seconds=CHOSEN.session_lifetime_seconds) + timedelta(days=2)
    assert await removed_after(world, is_over - timedelta(days=5) - tick) == set()
    assert await removed_after(world, 2 * tick) == {"sessions"}
