"""What pages of users promise: everybody whom the filter admits, once each, in order, whatever is asked."""

from datetime import timedelta
from itertools import product

import pytest

from application.paging import page as paging
from application.ports.unit_of_work import UnitOfWork
from application.ports.user_search import UserFilter, UserOrder, UserPosition, UserStatus
from domain.ids import UserId
from domain.users.deletion import DeletionPolicy
from domain.users.roles import ADMIN
from domain.users.user import User
from tests.world import new_user

_DAY = timedelta(days=1)
# In an order that is neither that of addresses nor that of times.
_NAMES = ("m", "a.b", "A-b", "z", "ab", "a_b", "é", "zz")


async def crowd(uow: UnitOfWork) -> list[User]:
    """Users of every kind; some came at the same moment."""
    users = []
    born = new_user().created_at
    for number, (suspended, leaving, verified, role) in enumerate(
        product((False, True), (False, True), (False, True), (None, ADMIN, "porter"))
    ):
        name = _NAMES[number % len(_NAMES)].replace("é", "e-acute")
        user = new_user(f"{name}.{number % 5}{number}@example.com")
        user.created_at = born - _DAY * (number % 7)
        user.last_seen_at = born + _DAY * (number * 5 % 11)
        user.email_verified_at = born if verified else None
        user.roles = frozenset({role}) if role is not None else frozenset()
        if suspended:
            user.suspend(reason="spam", at=born)
        if leaving:
            user.schedule_deletion(policy=DeletionPolicy(), at=born)
        users.append(user)
    async with uow.begin() as tx:
        for user in users:
            await tx.users.add(user)
    return users


async def everybody(uow: UnitOfWork, only: UserFilter, order: UserOrder, limit: int) -> list[UserId]:
    """All pages, one after the other."""
    found: list[UserId] = []
    after: UserPosition | None = None
    while True:
        async with uow.read() as tx:
            page = await tx.users.page(only=only, order=order, after=after, limit=limit)
        assert len(page.items) <= limit
        found += [user.id for user in page.items]
        if page.after is None:
            return found
        after = page.after


def filters(users: list[User]) -> list[UserFilter]:
    """Each alone, and many together."""
    some = users[3]
    alone: list[UserFilter] = [
        *(UserFilter(status=status) for status in UserStatus),
        *(UserFilter(role=role) for role in (ADMIN, "porter", "nobody has it")),
        *(UserFilter(email_verified=verified) for verified in (True, False)),
        *(UserFilter(email_prefix=prefix) for prefix in ("a", "a.b", "zz", "", some.email.canonical, "\u00e9")),
        UserFilter(created_after=some.created_at),
        UserFilter(created_before=some.created_at),
        UserFilter(last_seen_before=some.last_seen_at),
        UserFilter(),
    ]
    together = [
        UserFilter(status=status, role=role, email_verified=verified, email_prefix=prefix, last_seen_before=seen)
        for status, role, verified, prefix, seen in product(
            (None, *UserStatus), (None, ADMIN), (None, True, False), (None, "a"), (None, some.last_seen_at)
        )
    ]
    return [*alone, *together]


def ordered(users: list[User], only: UserFilter, order: UserOrder) -> list[UserId]:
    positions = [UserPosition.of(user, order) for user in users if only.admits(user)]
    positions.sort(key=lambda position: (position.key, position.user_id), reverse=order.backwards)
    return [position.user_id for position in positions]


@pytest.mark.parametrize("order", UserOrder)
async def test_every_filter_admits_the_same_in_every_order(uow: UnitOfWork, order: UserOrder) -> None:
    users = await crowd(uow)
    for only in filters(users):
        assert await everybody(uow, only, order, limit=200) == ordered(users, only, order), only


@pytest.mark.parametrize("order", UserOrder)
async def test_pages_follow_each_other_without_gaps(uow: UnitOfWork, order: UserOrder) -> None:
    users = await crowd(uow)
    for only in (UserFilter(), UserFilter(status=UserStatus.SUSPENDED), UserFilter(role=ADMIN, email_verified=False)):
        assert await everybody(uow, only, order, limit=2) == ordered(users, only, order), only


@pytest.mark.parametrize("order", UserOrder)
async def test_a_page_that_looked_at_enough_goes_on_where_it_stopped(
    uow: UnitOfWork, order: UserOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = await crowd(uow)
    for module in ("adapters.memory.users", "adapters.postgres.users", "adapters.postgres.user_pages"):
        monkeypatch.setattr(f"{module}.MOST_EXAMINED", 3)
    assert paging.MOST_EXAMINED == 5000
    for only in filters(users):
        assert await everybody(uow, only, order, limit=5) == ordered(users, only, order), only


async def test_whoever_comes_or_goes_meanwhile_moves_nobody_else(uow: UnitOfWork) -> None:
    users = await crowd(uow)
    expected = ordered(users, UserFilter(), UserOrder.EMAIL)
    async with uow.read() as tx:
        first = await tx.users.page(only=UserFilter(), order=UserOrder.EMAIL, after=None, limit=5)
    async with uow.begin() as tx:
        await tx.users.remove(first.items[-1].id)
        await tx.users.add(new_user("0@example.com"))
    async with uow.read() as tx:
        second = await tx.users.page(only=UserFilter(), order=UserOrder.EMAIL, after=first.after, limit=5)
    assert [user.id for user in (*first.items, *second.items)] == expected[:10]


async def test_being_seen_moves_the_moment_and_nothing_else(uow: UnitOfWork) -> None:
    ada, nobody = new_user(), new_user("nobody@example.com")
    async with uow.begin() as tx:
        await tx.users.add(ada)
    seen = ada.last_seen_at + timedelta(hours=2)
    async with uow.begin() as tx:
        for user in (ada, nobody):
            await tx.users.note_seen(user.id, at=seen, unless_after=seen - timedelta(hours=1))
    async with uow.begin() as tx:
        later = seen + timedelta(minutes=10)
        await tx.users.note_seen(ada.id, at=later, unless_after=later - timedelta(hours=1))
    async with uow.read() as tx:
        found = await tx.users.get(ada.id)
    assert (found.last_seen_at, found.version) == (seen, ada.version)


async def test_whoever_saves_an_older_copy_does_not_move_it_back(uow: UnitOfWork) -> None:
    ada = new_user()
    async with uow.begin() as tx:
        await tx.users.add(ada)
    seen = ada.last_seen_at + _DAY
    async with uow.begin() as tx:
        await tx.users.note_seen(ada.id, at=seen, unless_after=seen)
        ada.update_profile(at=seen, display_name="Ada")
        await tx.users.save(ada)
    async with uow.read() as tx:
        assert (await tx.users.get(ada.id)).last_seen_at == seen
