"""Looking back on what happened to oneself."""

from application.users.list_security_events import ListSecurityEvents
from domain.audit.audit_entry import AuditEntry
from tests.world import World


def names(entries: list[AuditEntry]) -> list[str]:
    return [entry.event for entry in entries]


async def test_a_user_sees_what_happened_newest_first_and_a_page_at_a_time(world: World) -> None:
    user = await world.register()
    await world.register("bob@example.com")
    for _ in range(3):
        await world.sign_in()
    events = world.container.resolve(ListSecurityEvents)
    first = await events.execute(user_id=user.id, limit=3)
    assert names(list(first.items)) == ["session.started"] * 3
    assert first.after is not None
    rest = await events.execute(user_id=user.id, limit=3, before=first.after)
    assert (names(list(rest.items)), rest.after) == (["user.registered"], None)


async def test_a_page_that_is_just_full_is_the_last(world: World) -> None:
    user = await world.register()
    await world.sign_in()
    page = await world.container.resolve(ListSecurityEvents).execute(user_id=user.id, limit=2)
    assert (len(page.items), page.after) == (2, None)
