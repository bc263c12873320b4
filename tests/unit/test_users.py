"""Looking users up, listing them, changing a profile."""

import pytest

from application.admin.list_users import ListUsers
from application.users.get_user import GetUser
from application.users.update_profile import UpdateProfile
from domain.errors import ConcurrentUpdate, InvalidFields, StaleVersion
from domain.ids import UserId
from domain.users.profile import ProfileChanges
from domain.users.user import UserNotFound
from tests.world import World


async def test_a_user_is_found_by_id_and_by_any_spelling_of_the_address(world: World) -> None:
    user = await world.register("Ada@example.com")
    get = world.container.resolve(GetUser)
    assert await get.execute(who=user.id) == user
    assert await get.execute(who="aDA@EXAMPLE.com") == user


async def test_nobody_is_not_found(world: World) -> None:
    get = world.container.resolve(GetUser)
    for nobody in (UserId(world.adapters.randomness.uuid(at=world.clock.now())), "nobody@example.com"):
        with pytest.raises(UserNotFound):
            await get.execute(who=nobody)


async def test_users_are_listed_newest_first_page_by_page(world: World) -> None:
    users = [await world.register(f"user{number}@example.com") for number in range(5)]
    newest_first = users[::-1]
    list_users = world.container.resolve(ListUsers)
    first = await list_users.execute(limit=2)
    second = await list_users.execute(limit=2, after=first.after)
    third = await list_users.execute(limit=2, after=second.after)
    assert [*first.items, *second.items, *third.items] == newest_first
    assert third.after is None


async def test_a_profile_change_is_kept_and_counted(world: World) -> None:
    user = await world.register()
    updated = await world.container.resolve(UpdateProfile).execute(
        user_id=user.id, changes=ProfileChanges(display_name="Ada"), expected_version=1
    )
    assert (updated.display_name, updated.version) == ("Ada", 2)
    assert await world.container.resolve(GetUser).execute(who=user.id) == updated
    assert (await world.events_of(user.id))[0] == "user.profile_updated"


async def test_a_change_that_changes_nothing_keeps_the_version(world: World) -> None:
    user = await world.register()
    same = await world.container.resolve(UpdateProfile).execute(user_id=user.id, changes=ProfileChanges(locale=None))
    assert same.version == user.version


async def test_a_change_to_an_older_version_is_refused(world: World) -> None:
    user = await world.register()
    update = world.container.resolve(UpdateProfile)
    await update.execute(user_id=user.id, changes=ProfileChanges(display_name="Ada"))
    with pytest.raises(StaleVersion):
        await update.execute(user_id=user.id, changes=ProfileChanges(display_name="Eve"), expected_version=1)


async def test_an_invalid_change_is_refused_and_nothing_is_kept(world: World) -> None:
    user = await world.register()
    with pytest.raises(InvalidFields):
        await world.container.resolve(UpdateProfile).execute(
            user_id=user.id, changes=ProfileChanges(display_name="Ada", locale="?")
        )
    assert await world.container.resolve(GetUser).execute(who=user.id) == user


async def test_the_slower_of_two_writers_is_told(world: World) -> None:
    user = await world.register()
    async with world.unit_of_work.read() as tx:
        mine = await tx.users.get(user.id)
    await world.container.resolve(UpdateProfile).execute(user_id=user.id, changes=ProfileChanges(display_name="faster"))
    mine.update_profile(at=world.clock.now(), display_name="slower")

    async def save() -> None:
        async with world.unit_of_work.begin() as tx:
            await tx.users.save(mine)

    with pytest.raises(ConcurrentUpdate):
        await save()
