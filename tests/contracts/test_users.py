"""What a repository of users promises."""

import asyncio
from datetime import timedelta

import pytest

from application.ports.unit_of_work import ReadOnlyBlock, UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.users.registration import EmailAlreadyRegistered
from domain.users.roles import ADMIN
from domain.users.user import User, UserNotFound
from tests.world import new_user


async def add(uow: UnitOfWork, *users: User) -> None:
    async with uow.begin() as tx:
        for user in users:
            await tx.users.add(user)


async def save(uow: UnitOfWork, user: User) -> None:
    async with uow.begin() as tx:
        await tx.users.save(user)


async def load(uow: UnitOfWork, user: User) -> User:
    async with uow.read() as tx:
        return await tx.users.get(user.id)


async def test_every_field_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    user = new_user("Ada+x@bücher.example.com", name="Ada 🗝")
    user.roles = frozenset({ADMIN, "porter"})
    user.update_profile(at=user.created_at + timedelta(microseconds=1), locale="de-CH")
    user.email_verified_at = user.created_at + timedelta(days=400, microseconds=7)
    since = user.created_at + timedelta(seconds=1)
    user.suspend(reason="spam \U0001f5dd", until=since + timedelta(microseconds=1), at=since)
    await add(uow, user)
    assert await load(uow, user) == user
    user.reinstate(at=since)
    await save(uow, user)
    assert (await load(uow, user)).suspension is None


async def test_absent_fields_come_back_absent(uow: UnitOfWork) -> None:
    user = new_user()
    user.password_hash = None
    await add(uow, user)
    stored = await load(uow, user)
    assert stored == user
    assert (stored.password_hash, stored.display_name, stored.email_verified_at) == (None, None, None)


async def test_a_user_is_found_by_the_canonical_address(uow: UnitOfWork) -> None:
    user = new_user("Ada@Example.com")
    await add(uow, user)
    async with uow.read() as tx:
        assert await tx.users.find_by_email(new_user("ADA@example.COM").email) == user
        assert await tx.users.find_by_email(new_user("eve@example.com").email) is None


async def test_nobody_is_not_found(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await load(uow, new_user())


async def test_an_address_can_be_taken_once(uow: UnitOfWork) -> None:
    await add(uow, new_user("ada@example.com"))
    with pytest.raises(EmailAlreadyRegistered):
        await add(uow, new_user("ADA@example.com"))


async def test_an_address_cannot_be_changed_to_another_users(uow: UnitOfWork) -> None:
    """EM-04."""
    ada, eve = new_user("ada@example.com"), new_user("eve@example.com")
    await add(uow, ada)
    await add(uow, eve)
    eve.email = ada.email
    with pytest.raises(EmailAlreadyRegistered):
        await save(uow, eve)


async def test_one_of_fifty_parallel_registrations_wins(uow: UnitOfWork) -> None:
    """EM-04, fault 13."""
    barrier = asyncio.Barrier(50)

    async def register() -> bool:
        await barrier.wait()
        try:
            await add(uow, new_user())
        except EmailAlreadyRegistered:
            return False
        return True

    assert sum(await asyncio.gather(*(register() for _ in range(50)))) == 1


async def test_saving_counts_the_version_up(uow: UnitOfWork) -> None:
    user = new_user()
    await add(uow, user)
    user.update_profile(at=user.created_at, display_name="Ada")
    await save(uow, user)
    assert user.version == 2
    assert await load(uow, user) == user


async def test_changing_a_loaded_user_without_saving_changes_nothing(uow: UnitOfWork) -> None:
    user = new_user(name="Ada")
    await add(uow, user)
    user.update_profile(at=user.created_at, display_name="Eve")
    (await load(uow, user)).update_profile(at=user.created_at, display_name="Eve")
    assert (await load(uow, user)).display_name == "Ada"


async def test_the_second_of_two_stale_writers_is_refused(uow: UnitOfWork) -> None:
    user = new_user()
    await add(uow, user)
    one, other = await load(uow, user), await load(uow, user)
    one.update_profile(at=user.created_at, display_name="one")
    other.update_profile(at=user.created_at, display_name="other")
    await save(uow, one)
    with pytest.raises(ConcurrentUpdate):
        await save(uow, other)
    assert (await load(uow, user)).display_name == "one"


async def test_one_of_twenty_parallel_writers_of_one_version_wins(uow: UnitOfWork) -> None:
    user = new_user()
    await add(uow, user)
    barrier = asyncio.Barrier(20)

    async def write(number: int) -> bool:
        mine = await load(uow, user)
        mine.update_profile(at=user.created_at, display_name=f"writer {number}")
        await barrier.wait()
        try:
            await save(uow, mine)
        except ConcurrentUpdate:
            return False
        return True

    assert sum(await asyncio.gather(*(write(number) for number in range(20)))) == 1
    assert (await load(uow, user)).version == 2


async def test_a_user_who_was_never_added_cannot_be_saved(uow: UnitOfWork) -> None:
    with pytest.raises(ConcurrentUpdate):
        await save(uow, new_user())


async def test_ad_05_operators_are_locked_together_and_nobody_else(uow: UnitOfWork) -> None:
    people = [new_user(f"user{number}@example.com") for number in range(4)]
    for number in (1, 3):
        people[number].roles = frozenset({ADMIN, "porter"})
    people[2].roles = frozenset({"administrator"})
    await add(uow, *people)
    async with uow.begin() as tx:
        locked = await tx.users.lock_admins()
        assert [user.id for user in locked] == sorted(people[number].id for number in (1, 3))
        # Somebody else may be changed meanwhile.
        people[0].update_profile(at=people[0].created_at, display_name="Ada")
        async with uow.begin() as other:
            await other.users.save(people[0])
    async with uow.read() as tx:
        with pytest.raises(ReadOnlyBlock):
            await tx.users.lock_admins()


async def test_suspensions_that_are_over_are_found_first_ended_first(uow: UnitOfWork) -> None:
    people = [new_user(f"user{number}@example.com") for number in range(5)]
    now = people[0].created_at
    for number, minutes in ((0, 30), (1, 10), (2, 20), (3, None)):
        until = now + timedelta(minutes=minutes) if minutes is not None else None
        people[number].suspend(reason="spam", until=until, at=now)
    await add(uow, *people)
    async with uow.read() as tx:
        at = now + timedelta(minutes=20)
        assert await tx.users.over_suspended(at=at, limit=5) == [people[1].id, people[2].id]
        assert await tx.users.over_suspended(at=at, limit=1) == [people[1].id]
        assert await tx.users.over_suspended(at=now, limit=5) == []
