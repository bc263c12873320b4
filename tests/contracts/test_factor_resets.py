"""Resets of second factors that are held: found when they are due, ended once, gone with their user."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.clock import MemoryClock
from adapters.postgres.database import open_engine
from adapters.system.randomness import SystemRandomness
from application.mfa.held_resets import keep_factors
from application.ports.unit_of_work import DuplicateKey, ReadOnlyBlock, UnitOfWork
from application.upkeep.carry_out_factor_resets import CarryOutFactorResets
from domain.ids import FactorId, UserId
from domain.mfa.factor import MfaPolicy
from domain.mfa.factor_reset import FactorReset
from domain.users.user import User, UserNotFound
from tests.conftest import unit_of_work_on
from tests.contracts.test_factors import NOW, TICK, factors_of, keep, kept_user, new_factor
from tests.world import new_user

HOLD = timedelta(hours=24)

_randomness = SystemRandomness()


def new_reset(
    user: User, factor_id: FactorId | None = None, *, after: timedelta = timedelta(), by: UserId | None = None
) -> FactorReset:
    return FactorReset.request(
        factor_id=factor_id or FactorId(_randomness.uuid(at=NOW)),
        user=user,
        reason="Lost the telephone",
        policy=MfaPolicy(issuer="Hallporter", reset_hold=HOLD),
        at=NOW + after,
        by=by,
    )


async def hold(uow: UnitOfWork, *resets: FactorReset) -> None:
    async with uow.begin() as tx:
        for reset in resets:
            await tx.factor_resets.add(reset)


async def held_of(uow: UnitOfWork, user: User) -> list[FactorReset]:
    async with uow.read() as tx:
        return list(await tx.factor_resets.of_user(user.id))


async def events_of(uow: UnitOfWork, user: User) -> list[str]:
    async with uow.read() as tx:
        return [entry.event for entry in await tx.audit.of_user(user.id, limit=10)]


async def test_resets_are_found_as_they_were_held_and_written_down(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    later, sooner = new_reset(ada, after=timedelta(seconds=1), by=bob.id), new_reset(ada)
    await hold(uow, later, sooner, new_reset(bob))
    assert await held_of(uow, ada) == [sooner, later]
    async with uow.read() as tx:
        entry = (await tx.audit.of_user(ada.id, limit=2))[1]
    assert (entry.event, entry.details) == (
        "factor.reset_requested",
        {
            "factor_id": str(later.factor_id),
            "by": str(bob.id),
            "due_at": (NOW + timedelta(seconds=1) + HOLD).isoformat(),
            "explanation": "Lost the telephone",
        },
    )


async def test_a_reset_needs_a_user_and_a_factor_has_one(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await hold(uow, new_reset(new_user("gone@example.com")))
    reset = new_reset(await kept_user(uow))
    await hold(uow, reset)
    with pytest.raises(DuplicateKey):
        await hold(uow, reset)


async def test_those_are_due_whose_time_has_come_the_longest_due_first(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    resets = [new_reset(user, after=number * TICK) for number in range(4)]
    await hold(uow, *reversed(resets))
    async with uow.read() as tx:
        assert list(await tx.factor_resets.due(at=NOW + HOLD - TICK, limit=9)) == []
        assert list(await tx.factor_resets.due(at=NOW + HOLD, limit=9)) == resets[:1]
        assert list(await tx.factor_resets.due(at=NOW + HOLD + 9 * TICK, limit=3)) == resets[:3]


async def test_what_is_over_is_gone_and_to_end_it_twice_ends_it_once(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    reset, other = new_reset(user), new_reset(user, after=TICK)
    await hold(uow, reset, other)
    for _ in range(2):
        async with uow.begin() as tx:
            await tx.factor_resets.remove(reset)
    assert await held_of(uow, user) == [other]
    other.cancel(at=NOW)
    async with uow.begin() as tx:
        await tx.factor_resets.remove(other)
    assert (await held_of(uow, user), (await events_of(uow, user))[0]) == ([], "factor.reset_cancelled")


async def test_a_block_of_reads_ends_nothing(uow: UnitOfWork) -> None:
    reset = new_reset(await kept_user(uow))
    for change in ("add", "remove"):
        with pytest.raises(ReadOnlyBlock):
            async with uow.read() as tx:
                await getattr(tx.factor_resets, change)(reset)


async def test_pr_02_resets_go_with_the_user(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    await hold(uow, new_reset(ada), new_reset(bob))
    async with uow.begin() as tx:
        await tx.users.remove(ada.id)
    assert [len(await held_of(uow, user)) for user in (ada, bob)] == [0, 1]


def carry_out(uow: UnitOfWork, after: timedelta = HOLD) -> CarryOutFactorResets:
    return CarryOutFactorResets(uow, MemoryClock(NOW + after))


@pytest.fixture
async def two_processes(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> AsyncIterator[list[UnitOfWork]]:
    """Two pools that share nothing but the database, as two processes do."""
    async with open_engine(database, pool_size=20, pool_timeout=60) as other:
        yield [unit_of_work_on(engine), unit_of_work_on(other)]


async def test_two_processes_at_once_take_each_factor_away_once(two_processes: list[UnitOfWork]) -> None:
    uow = two_processes[0]
    users = [await kept_user(uow, f"u{number}@example.com") for number in range(5)]
    for user in users:
        factor = new_factor(user)
        await keep(uow, factor)
        await hold(uow, new_reset(user, factor.id))
    done = await asyncio.gather(*(carry_out(two_processes[number % 2]).execute() for number in range(6)))
    assert sum(done) == len(users)
    for user in users:
        assert (await factors_of(uow, user.id), await held_of(uow, user)) == ([], [])
        assert (await events_of(uow, user)).count("factor.removed") == 1


async def test_whoever_uses_a_factor_in_the_last_moment_keeps_it_or_loses_it_and_never_both(
    two_processes: list[UnitOfWork],
) -> None:
    uow = two_processes[0]
    seen = set()
    for number in range(12):
        user = await kept_user(uow, f"u{number}@example.com")
        factor = new_factor(user)
        await keep(uow, factor)
        await hold(uow, new_reset(user, factor.id))
        both = [carry_out(two_processes[1]).execute(), keep_factors(uow, user.id, at=NOW + HOLD)]
        await asyncio.gather(*(both if number % 2 else both[::-1]))
        events = set(await events_of(uow, user)) & {"factor.removed", "factor.reset_cancelled"}
        assert len(events) == 1
        assert (len(await factors_of(uow, user.id)) == 1) is (events == {"factor.reset_cancelled"})
        assert await held_of(uow, user) == []
        seen |= events
    assert seen
