"""Second factors and half sign-ins: what is good is good once, for whom it belongs to, and gone with its user."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.clock import MemoryClock
from adapters.postgres.database import open_engine
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DuplicateKey, ReadOnlyBlock, Transaction, UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.ids import ChallengeId, DeviceId, FactorId, UserId
from domain.mfa.factor import MfaPolicy
from domain.mfa.recovery_code import RecoveryCode
from domain.mfa.sign_in_challenge import SignInChallenge
from domain.mfa.totp_factor import TotpFactor
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device
from domain.users.deletion import DeletionPolicy
from domain.users.password import PasswordHash
from domain.users.user import User, UserNotFound
from tests.conftest import unit_of_work_on
from tests.world import new_session, new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
POLICY = MfaPolicy(issuer="Hallporter")
STEP = 59_000_000

_randomness = SystemRandomness()


def new_factor(user: User, *, active: bool = True, after: timedelta = timedelta()) -> TotpFactor:
    factor = TotpFactor(
        id=FactorId(_randomness.uuid(at=NOW + after)),
        user_id=user.id,
        name="Telephone",
        sealed_secret="sealed",
        created_at=NOW + after,
    )
    if active:
        factor.activate(step=STEP, at=NOW + after)
        factor.collect_events()
    return factor


def new_codes(user: User, *handles: str, salt: str = "one") -> list[RecoveryCode]:
    return [
        RecoveryCode(
            user_id=user.id,
            handle=handle,
            hashed=PasswordHash(owner=user.id, encoded=f"hash {salt} of {handle}"),
            made_at=NOW,
        )
        for handle in handles
    ]


def new_challenge(
    user: User, *, known_device: DeviceId | None = None, after: timedelta = timedelta()
) -> SignInChallenge:
    return SignInChallenge.pose(
        id=ChallengeId(_randomness.uuid(at=NOW + after)),
        user=user,
        methods=(AuthenticationMethod.PASSWORD,),
        device=Device(user_agent="tests", network_address="192.0.2.7"),
        known_device=known_device,
        policy=POLICY,
        at=NOW + after,
    )


async def kept_user(uow: UnitOfWork, email: str = "ada@example.com") -> User:
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def keep(uow: UnitOfWork, *things: TotpFactor | SignInChallenge) -> None:
    async with uow.begin() as tx:
        for thing in things:
            if isinstance(thing, TotpFactor):
                await tx.totp_factors.add(thing)
            else:
                await tx.sign_in_challenges.add(thing)


async def factors_of(uow: UnitOfWork, user_id: UserId) -> list[TotpFactor]:
    async with uow.read() as tx:
        return list(await tx.totp_factors.of_user(user_id))


async def use_step(uow: UnitOfWork, factor: TotpFactor, step: int) -> bool:
    async with uow.begin() as tx:
        return await tx.totp_factors.use_step(factor.id, step, at=NOW + timedelta(minutes=1))


async def use_code(uow: UnitOfWork, code: RecoveryCode) -> bool:
    async with uow.begin() as tx:
        return await tx.recovery_codes.use(code, at=NOW)


async def finish(uow: UnitOfWork, challenge: SignInChallenge, after: timedelta = timedelta()) -> SignInChallenge | None:
    async with uow.begin() as tx:
        return await tx.sign_in_challenges.finish(challenge.id, at=NOW + after)


async def change(uow: UnitOfWork, user: User) -> None:
    async with uow.begin() as tx:
        await tx.users.save(user)


async def test_factors_are_found_as_they_were_kept_oldest_first(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    factors = [new_factor(ada), new_factor(ada, active=False, after=timedelta(seconds=1))]
    factors.append(replace(new_factor(ada, after=timedelta(seconds=2)), name=None))
    await keep(uow, factors[2], factors[0], factors[1], new_factor(bob))
    assert await factors_of(uow, ada.id) == factors


async def test_a_factor_needs_a_user_and_an_id_of_its_own(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await keep(uow, new_factor(new_user("gone@example.com")))
    factor = new_factor(await kept_user(uow))
    await keep(uow, factor)
    with pytest.raises(DuplicateKey):
        await keep(uow, factor)


async def test_a_factor_is_saved_over_the_state_that_was_loaded_alone(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    await keep(uow, new_factor(user, active=False))
    (mine,), (theirs,) = await factors_of(uow, user.id), await factors_of(uow, user.id)
    for factor in (mine, theirs):
        factor.activate(step=STEP, at=NOW)
    async with uow.begin() as tx:
        await tx.totp_factors.save(mine)
    with pytest.raises(ConcurrentUpdate):
        async with uow.begin() as tx:
            await tx.totp_factors.save(theirs)
    (found,) = await factors_of(uow, user.id)
    assert (found.version, found.is_active, found.last_step) == (2, True, STEP)
    async with uow.read() as tx:
        assert [entry.event for entry in await tx.audit.of_user(user.id, limit=1)] == ["factor.enrolled"]


async def test_mf_03_a_step_is_used_once_and_none_before_it_afterwards(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    factor, fresh = new_factor(user), replace(new_factor(user), last_step=None)
    await keep(uow, factor, fresh)
    steps = (STEP, STEP + 1, STEP + 1, STEP, STEP + 3, STEP + 2)
    assert [await use_step(uow, factor, step) for step in steps] == [False, True, False, False, True, False]
    assert await use_step(uow, fresh, STEP)
    found = {found.id: found for found in await factors_of(uow, user.id)}[factor.id]
    assert (found.last_step, found.last_used_at, found.version) == (STEP + 3, NOW + timedelta(minutes=1), 1)


async def test_a_step_that_was_used_stays_used_whoever_saves_the_factor_afterwards(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    factor = new_factor(user)
    await keep(uow, factor)
    assert await use_step(uow, factor, STEP + 1)
    async with uow.begin() as tx:
        await tx.totp_factors.save(factor)
    assert not await use_step(uow, factor, STEP + 1)


async def test_a_factor_that_is_not_active_or_gone_proves_nothing(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    pending, gone = new_factor(user, active=False), new_factor(user)
    await keep(uow, pending, gone)
    async with uow.begin() as tx:
        gone.remove(at=NOW)
        await tx.totp_factors.remove(gone)
    assert not await use_step(uow, pending, STEP)
    assert not await use_step(uow, gone, STEP + 1)
    assert await factors_of(uow, user.id) == [pending]


@pytest.fixture
async def two_processes(
    postgres_uow: UnitOfWork, engine: AsyncEngine, database: str
) -> AsyncIterator[list[UnitOfWork]]:
    """Two pools that share nothing but the database, as two processes do."""
    async with open_engine(database, pool_size=20, pool_timeout=60) as other:
        yield [unit_of_work_on(engine), unit_of_work_on(other)]


async def test_mf_03_one_of_a_hundred_at_once_in_two_processes_gets_a_step(two_processes: list[UnitOfWork]) -> None:
    factor = new_factor(await kept_user(two_processes[0]))
    await keep(two_processes[0], factor)
    tries = [use_step(two_processes[number % 2], factor, STEP + 1) for number in range(100)]
    assert sum(await asyncio.gather(*tries)) == 1


async def test_rc_08_one_of_a_hundred_at_once_in_two_processes_gets_a_recovery_code(
    two_processes: list[UnitOfWork],
) -> None:
    user = await kept_user(two_processes[0])
    (code,) = new_codes(user, "AAAA")
    async with two_processes[0].begin() as tx:
        await tx.recovery_codes.replace(user.id, [code])
    tries = [use_code(two_processes[number % 2], code) for number in range(100)]
    assert sum(await asyncio.gather(*tries)) == 1


async def test_mf_06_one_of_a_hundred_at_once_in_two_processes_finishes_a_challenge(
    two_processes: list[UnitOfWork],
) -> None:
    challenge = new_challenge(await kept_user(two_processes[0]))
    await keep(two_processes[0], challenge)
    tries = [finish(two_processes[number % 2], challenge) for number in range(100)]
    assert sum(found is not None for found in await asyncio.gather(*tries)) == 1


async def test_of_twenty_at_once_one_gets_what_is_good_once(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    factor, challenge = new_factor(user), new_challenge(user)
    (code,) = new_codes(user, "AAAA")
    await keep(uow, factor, challenge)
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(user.id, [code])
    assert sum(await asyncio.gather(*(use_step(uow, factor, STEP + 1) for _ in range(20)))) == 1
    assert sum(await asyncio.gather(*(use_code(uow, code) for _ in range(20)))) == 1
    finished = await asyncio.gather(*(finish(uow, challenge) for _ in range(20)))
    assert sum(found is not None for found in finished) == 1


async def test_a_recovery_code_is_found_by_user_and_handle_until_it_is_used(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    codes = new_codes(ada, "AAAA", "BBBB")
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(ada.id, codes)
        await tx.recovery_codes.replace(bob.id, new_codes(bob, "CCCC"))
    assert await use_code(uow, codes[0])
    async with uow.read() as tx:
        found = [await tx.recovery_codes.find(ada.id, handle) for handle in ("AAAA", "BBBB", "CCCC")]
        assert found == [None, codes[1], None]
        assert (await tx.recovery_codes.count(ada.id), await tx.recovery_codes.count(bob.id)) == (1, 1)


async def test_rc_08_a_new_set_kills_the_old_one_even_where_handles_are_the_same(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    (old,), new = new_codes(user, "AAAA"), new_codes(user, "AAAA", "BBBB", salt="another")
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(user.id, [old])
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(user.id, new)
    assert not await use_code(uow, old)
    assert await use_code(uow, new[0])
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(user.id, [])
    assert not await use_code(uow, new[1])


async def test_recovery_codes_need_a_user_and_handles_of_their_own(uow: UnitOfWork) -> None:
    gone, user = new_user("gone@example.com"), await kept_user(uow)
    with pytest.raises(UserNotFound):
        async with uow.begin() as tx:
            await tx.recovery_codes.replace(gone.id, new_codes(gone, "AAAA"))
    with pytest.raises(DuplicateKey):
        async with uow.begin() as tx:
            await tx.recovery_codes.replace(user.id, new_codes(user, "AAAA", "AAAA"))


async def test_a_challenge_is_found_as_it_was_kept_and_finished_once(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    known = DeviceId(_randomness.uuid(at=NOW))
    challenges = [new_challenge(user), new_challenge(user, known_device=known)]
    await keep(uow, *challenges)
    for challenge in challenges:
        async with uow.read() as tx:
            assert await tx.sign_in_challenges.find_good(challenge.id, at=NOW) == challenge
        assert await finish(uow, challenge) == replace(challenge, finished_at=NOW)
        assert await finish(uow, challenge) is None
        async with uow.read() as tx:
            assert await tx.sign_in_challenges.find_good(challenge.id, at=NOW) is None


async def test_mf_06_a_challenge_is_over_after_ten_minutes(uow: UnitOfWork) -> None:
    challenge = new_challenge(await kept_user(uow))
    await keep(uow, challenge)
    assert await finish(uow, challenge, timedelta(minutes=10)) is None
    assert await finish(uow, challenge, timedelta(minutes=10) - TICK) is not None


async def test_mf_06_a_challenge_is_over_once_anything_changes_that_guards_the_user(uow: UnitOfWork) -> None:
    suspended, changed, due = [await kept_user(uow, f"{name}@example.com") for name in ("a", "b", "c")]
    changes: dict[str, tuple[User, Callable[[User], object]]] = {
        "suspended": (suspended, lambda user: user.suspend(reason="spam", at=NOW)),
        "another password": (changed, lambda user: user.discard_password(at=NOW)),
        "about to leave": (due, lambda user: user.schedule_deletion(policy=DeletionPolicy(), at=NOW)),
    }
    for what, (user, act) in changes.items():
        challenge = new_challenge(user)
        await keep(uow, challenge)
        act(user)
        await change(uow, user)
        async with uow.read() as tx:
            assert await tx.sign_in_challenges.find_good(challenge.id, at=NOW) is None, what
        assert await finish(uow, challenge) is None, what


async def test_a_block_of_reads_uses_nothing_up(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    factor, challenge = new_factor(user), new_challenge(user)
    await keep(uow, factor, challenge)
    (code,) = new_codes(user, "AAAA")
    uses: list[Callable[[Transaction], Awaitable[object]]] = [
        lambda tx: tx.totp_factors.use_step(factor.id, STEP + 1, at=NOW),
        lambda tx: tx.recovery_codes.use(code, at=NOW),
        lambda tx: tx.sign_in_challenges.finish(challenge.id, at=NOW),
    ]
    for use in uses:
        with pytest.raises(ReadOnlyBlock):
            async with uow.read() as tx:
                await use(tx)


async def test_mf_09_a_principal_has_factors_while_there_is_one_that_is_active(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    session, factor = new_session(user), new_factor(user, active=False)
    async with uow.begin() as tx:
        await tx.sessions.add(session)

    async def has_factors() -> bool:
        async with uow.read() as tx:
            principal = await tx.sessions.find_live(session.id, at=NOW)
        assert principal is not None
        return principal.has_factors

    assert not await has_factors()
    await keep(uow, factor)
    assert not await has_factors()
    factor.activate(step=STEP, at=NOW)
    async with uow.begin() as tx:
        await tx.totp_factors.save(factor)
    assert await has_factors()
    async with uow.begin() as tx:
        await tx.totp_factors.remove(factor)
    assert not await has_factors()


async def test_pr_02_everything_goes_with_the_user(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    kept = {user.id: (new_factor(user), new_challenge(user), new_codes(user, "AAAA")) for user in (ada, bob)}
    for user_id, (factor, challenge, codes) in kept.items():
        await keep(uow, factor, challenge)
        async with uow.begin() as tx:
            await tx.recovery_codes.replace(user_id, codes)
    async with uow.begin() as tx:
        await tx.users.remove(ada.id)
    for user_id, (factor, challenge, _) in kept.items():
        stays = user_id == bob.id
        async with uow.read() as tx:
            assert list(await tx.totp_factors.of_user(user_id)) == ([factor] if stays else [])
            assert await tx.recovery_codes.count(user_id) == (1 if stays else 0)
            assert (await tx.sign_in_challenges.find_good(challenge.id, at=NOW) is not None) is stays


async def test_what_is_over_is_purged_a_few_at_a_time(uow: UnitOfWork) -> None:
    user = await kept_user(uow)
    later = timedelta(seconds=1)
    active, young = new_factor(user), new_factor(user, active=False, after=later)
    await keep(uow, active, young, *(new_factor(user, active=False) for _ in range(3)))
    await keep(uow, new_challenge(user, after=later), *(new_challenge(user) for _ in range(3)))
    over = NOW + POLICY.challenge + TICK
    async with uow.begin() as tx:
        assert [await tx.totp_factors.purge(pending_since=NOW + TICK, limit=2) for _ in range(3)] == [2, 1, 0]
    async with uow.begin() as tx:
        assert [await tx.sign_in_challenges.purge(expired_before=over, limit=2) for _ in range(3)] == [2, 1, 0]
    assert await factors_of(uow, user.id) == [active, young]


async def test_recovery_codes_of_everybody_are_forgotten_a_few_at_a_time(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    async with uow.begin() as tx:
        await tx.recovery_codes.replace(ada.id, new_codes(ada, "AAAA", "BBBB"))
        await tx.recovery_codes.replace(bob.id, new_codes(bob, "AAAA"))
    for forgotten in (2, 1, 0):
        async with uow.begin() as tx:
            assert await tx.recovery_codes.forget_some(limit=2) == forgotten
    async with uow.read() as tx:
        assert await tx.recovery_codes.count(ada.id) + await tx.recovery_codes.count(bob.id) == 0


async def test_steps_of_everybody_are_used_up_a_few_factors_at_a_time(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    behind, pending, ahead = new_factor(ada), new_factor(ada, active=False), new_factor(bob)
    ahead.last_step = STEP + 9
    await keep(uow, behind, pending, ahead)
    for used in (1, 1, 0):
        async with uow.begin() as tx:
            assert await tx.totp_factors.use_up(STEP + 5, limit=1) == used
    assert {
        factor.id: factor.last_step for factor in [*await factors_of(uow, ada.id), *await factors_of(uow, bob.id)]
    } == {
        behind.id: STEP + 5,
        pending.id: STEP + 5,
        ahead.id: STEP + 9,
    }
    assert not await use_step(uow, behind, STEP + 5)
    assert await use_step(uow, behind, STEP + 6)
