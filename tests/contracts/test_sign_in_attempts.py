"""Refused sign-ins: kept once, found by their reference, gone with the user or after their time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import ReadOnlyBlock, UnitOfWork
from domain.ids import UserId
from domain.sessions.sign_in_attempt import REFERENCE_BYTES, Check, Outcome, Reference, SignInAttempt, SignInTrace
from domain.users.user import User, UserNotFound
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
REQUEST = UUID("5b7c1f0e-3a52-4a55-9d0c-6f0e7c3a9d2b")

_randomness = SystemRandomness()


def new_reference() -> Reference:
    return Reference.of(_randomness.secret(REFERENCE_BYTES))


def attempt(
    user_id: UserId | None = None, *, reference: Reference | None = None, after: timedelta = timedelta()
) -> SignInAttempt:
    trace = SignInTrace(network_address="192.0.2.7", request_id=REQUEST, user_id=user_id)
    trace.note(Check.ADDRESS, Outcome.KNOWN if user_id is not None else Outcome.UNKNOWN)
    return trace.closed(Outcome.REFUSED, reference=reference or new_reference(), at=NOW + after)


async def keep(uow: UnitOfWork, *attempts: SignInAttempt) -> None:
    async with uow.begin() as tx:
        for one in attempts:
            await tx.sign_in_attempts.add(one)


async def found(uow: UnitOfWork, *references: Reference) -> list[SignInAttempt | None]:
    async with uow.read() as tx:
        return [await tx.sign_in_attempts.find(reference) for reference in references]


async def kept_user(uow: UnitOfWork) -> User:
    user = new_user()
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def test_what_is_kept_is_found_as_it_was_and_nothing_else_is(uow: UnitOfWork) -> None:
    of_ada, of_nobody = attempt((await kept_user(uow)).id), attempt()
    bare = SignInTrace(network_address=None).closed(Outcome.TOLD_TO_WAIT, reference=new_reference(), at=NOW)
    await keep(uow, of_ada, of_nobody, bare)
    assert await found(uow, of_ada.reference, of_nobody.reference, bare.reference) == [of_ada, of_nobody, bare]
    assert await found(uow, new_reference()) == [None]


async def test_what_is_there_stays_as_it_is(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    first = attempt(user.id)
    await keep(uow, first)
    later = attempt(reference=first.reference, after=timedelta(minutes=1))
    of_a_stranger = attempt(new_user("gone@example.com").id, reference=first.reference)
    await keep(uow, later, of_a_stranger)
    assert await found(uow, first.reference) == [first]


async def test_of_many_at_once_one_is_kept_and_nobody_is_refused(uow: UnitOfWork) -> None:
    reference = new_reference()
    attempts = [attempt(reference=reference, after=number * TICK) for number in range(10)]
    await asyncio.gather(*(keep(uow, one) for one in attempts))
    (kept,) = await found(uow, reference)
    assert kept in attempts


async def test_nothing_is_kept_about_a_user_who_is_not_there(uow: UnitOfWork) -> None:
    about_nobody = attempt(new_user().id)
    with pytest.raises(UserNotFound):
        await keep(uow, about_nobody)
    assert await found(uow, about_nobody.reference) == [None]


async def test_those_of_a_user_are_told_newest_first(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    attempts = [attempt(user.id, after=number * TICK) for number in (1, 0, 2)]
    await keep(uow, *attempts, attempt())
    async with uow.read() as tx:
        theirs = list(await tx.sign_in_attempts.of_user(user.id))
        assert list(await tx.sign_in_attempts.of_user(new_user().id)) == []
    assert theirs == [attempts[2], attempts[0], attempts[1]]


async def test_pr_01_what_is_old_is_forgotten_so_many_at_a_time(uow: UnitOfWork) -> None:
    old = [attempt(after=-number * TICK) for number in (1, 2, 3)]
    young = attempt()
    await keep(uow, *old, young)
    purged = []
    for _ in range(3):
        async with uow.begin() as tx:
            purged.append(await tx.sign_in_attempts.purge(occurred_before=NOW, limit=2))
    assert purged == [2, 1, 0]
    assert await found(uow, *(one.reference for one in old), young.reference) == [None, None, None, young]


async def test_nothing_is_kept_while_reading(uow: UnitOfWork) -> None:
    async def keep_while_reading() -> None:
        async with uow.read() as tx:
            await tx.sign_in_attempts.add(attempt())

    async def purge_while_reading() -> None:
        async with uow.read() as tx:
            await tx.sign_in_attempts.purge(occurred_before=NOW, limit=1)

    for write in (keep_while_reading, purge_while_reading):
        with pytest.raises(ReadOnlyBlock):
            await write()
