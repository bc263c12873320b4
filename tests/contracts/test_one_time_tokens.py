"""What the repository of one-time tokens promises."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DuplicateKey, ReadOnlyBlock, Transaction, UnitOfWork
from domain.ids import EmailChangeId, OneTimeTokenId, SessionId
from domain.recovery.one_time_token import OneTimeCode, OneTimeToken, OneTimeTokenSecret, Purpose
from domain.users.deletion import DeletionPolicy
from domain.users.email_change import EmailChange
from domain.users.password import PasswordHash
from domain.users.user import User, UserNotFound
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
DUE = NOW + timedelta(minutes=15)
END = NOW + timedelta(minutes=30)
RESET, VERIFY, REVERT = Purpose.RESET_PASSWORD, Purpose.VERIFY_EMAIL, Purpose.REVERT_EMAIL_CHANGE

_randomness = SystemRandomness()


def new_token(user: User, purpose: Purpose = RESET, *, at: datetime = NOW, end: datetime = END) -> OneTimeToken:
    return OneTimeToken(
        id=OneTimeTokenId(_randomness.uuid(at=at)),
        user_id=user.id,
        purpose=purpose,
        digest=OneTimeTokenSecret.from_random(_randomness.secret(32), purpose=purpose).digest(),
        security_epoch=user.security_epoch,
        address=user.email.canonical,
        issued_at=at,
        expires_at=end,
    )


def with_code(token: OneTimeToken, attempts: int = 5) -> OneTimeToken:
    hashed = PasswordHash(owner=token.user_id, encoded="hash of a code")
    return replace(token, code=OneTimeCode(hashed=hashed, expires_at=DUE, attempts_left=attempts))


def new_change(user: User) -> EmailChange:
    return EmailChange(
        id=EmailChangeId(_randomness.uuid(at=NOW)),
        user_id=user.id,
        session_id=SessionId(_randomness.uuid(at=NOW)),
        security_epoch=user.security_epoch,
        old=user.email,
        old_is_verified=True,
        new=StrictEmailParser().parse("new@example.com"),
        requested_at=NOW,
    )


async def registered(uow: UnitOfWork, email: str = "ada@example.com") -> User:
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def save(uow: UnitOfWork, user: User) -> None:
    async with uow.begin() as tx:
        await tx.users.save(user)


async def add(uow: UnitOfWork, *tokens: OneTimeToken) -> None:
    for token in tokens:
        async with uow.begin() as tx:
            await tx.one_time_tokens.add(token)


async def find(uow: UnitOfWork, token: OneTimeToken, at: datetime = NOW) -> OneTimeToken | None:
    async with uow.read() as tx:
        return await tx.one_time_tokens.find_good(token.digest, token.purpose, at=at)


async def use(uow: UnitOfWork, token: OneTimeToken, at: datetime = NOW) -> OneTimeToken | None:
    async with uow.begin() as tx:
        return await tx.one_time_tokens.use(token.digest, token.purpose, at=at)


async def attempts_left(uow: UnitOfWork, user: User, at: datetime = NOW, purpose: Purpose = VERIFY) -> int | None:
    """What a try leaves of the attempts, or None where no code may be tried."""
    async with uow.begin() as tx:
        tried = await tx.one_time_tokens.try_code(user.id, purpose, at=at)
    return tried.code.attempts_left if tried is not None and tried.code is not None else None


async def test_every_field_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    user = await registered(uow)
    change = new_change(user)
    async with uow.begin() as tx:
        await tx.email_changes.add(change)
    plain, coded = new_token(user, end=END + TICK), with_code(new_token(user, VERIFY, at=NOW + TICK))
    reverting = replace(new_token(user, REVERT), email_change_id=change.id)
    await add(uow, plain, coded, reverting)
    assert [await find(uow, token) for token in (plain, coded, reverting)] == [plain, coded, reverting]


@pytest.mark.parametrize("purpose", Purpose)
async def test_a_token_belongs_to_an_existing_user(uow: UnitOfWork, purpose: Purpose) -> None:
    with pytest.raises(UserNotFound):
        await add(uow, new_token(new_user(), purpose))


@pytest.mark.parametrize("purpose", Purpose)
async def test_rc_04_a_newer_token_kills_older_ones_of_its_user_and_purpose_alone(
    uow: UnitOfWork, purpose: Purpose
) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    older = new_token(ada, purpose)
    others = [new_token(ada, other) for other in Purpose if other is not purpose] + [new_token(bob, purpose)]
    newer = new_token(ada, purpose, at=NOW + TICK)
    await add(uow, older, *others, newer)
    assert await find(uow, older) == (older if purpose is REVERT else None)
    assert [await find(uow, token) for token in (*others, newer)] == [*others, newer]


async def test_a_token_that_was_replaced_in_its_own_transaction_is_dead(uow: UnitOfWork) -> None:
    user = await registered(uow)
    older, newer = new_token(user), new_token(user)
    async with uow.begin() as tx:
        await tx.one_time_tokens.add(older)
        await tx.one_time_tokens.add(newer)
    assert (await find(uow, older), await find(uow, newer)) == (None, newer)


@pytest.mark.parametrize("purpose", Purpose)
async def test_rc_01_a_token_for_one_purpose_is_not_found_for_another(uow: UnitOfWork, purpose: Purpose) -> None:
    token = new_token(await registered(uow), purpose)
    await add(uow, token)
    for other in Purpose:
        assert await find(uow, replace(token, purpose=other)) == (token if other is purpose else None)
        if other is not purpose:
            assert await use(uow, replace(token, purpose=other)) is None
    assert await use(uow, token) is not None


def leave(_: User) -> None:
    """Nothing happens to the user."""


def reinstate(user: User) -> None:
    user.suspend(reason="spam", at=NOW)
    user.reinstate(at=NOW)


def suspend(user: User) -> None:
    user.suspend(reason="spam", at=NOW)


HAPPENINGS: dict[str, Callable[[User], None]] = {
    "nothing": leave,
    "suspended": suspend,
    "reinstated": reinstate,
    "deletion scheduled": lambda user: user.schedule_deletion(policy=DeletionPolicy(grace=DUE - NOW), at=NOW),
}


@pytest.mark.parametrize("purpose", [RESET, REVERT, VERIFY])
@pytest.mark.parametrize("issued", ["before", "after"])
@pytest.mark.parametrize("happened", HAPPENINGS)
async def test_rc_01_rc_04_what_is_good_is_what_the_token_says(
    uow: UnitOfWork, happened: str, issued: str, purpose: Purpose
) -> None:
    user = await registered(uow)
    epoch_before = user.security_epoch
    HAPPENINGS[happened](user)
    await save(uow, user)
    epoch = epoch_before if issued == "before" else user.security_epoch
    good = replace(new_token(user, purpose), security_epoch=epoch)
    spent = replace(new_token(user, purpose), security_epoch=epoch, spent_at=NOW)
    await add(uow, spent, good)
    of_this_epoch = issued == "after" or happened == "nothing" or purpose is not RESET
    for at in (NOW, DUE - TICK, DUE, END - TICK, END, END + TICK):
        in_time = at < (DUE if happened == "deletion scheduled" else END)
        expected = in_time and happened != "suspended" and of_this_epoch
        assert (await find(uow, good, at) is not None) is good.is_good(user=user, at=at) is expected
        assert (await find(uow, spent, at) is not None) is spent.is_good(user=user, at=at) is False


async def test_what_is_not_good_cannot_be_used_or_tried(uow: UnitOfWork) -> None:
    """RC-04; and EM-05, for the address has become another one."""
    user = await registered(uow)
    token = with_code(new_token(user, VERIFY))
    await add(uow, token)
    user.suspend(reason="spam", at=NOW)
    await save(uow, user)
    assert await use(uow, token) is None
    assert await attempts_left(uow, user) is None
    user.reinstate(at=NOW)
    user.email = StrictEmailParser().parse("ada@example.org")
    await save(uow, user)
    assert await use(uow, token) is None
    assert await attempts_left(uow, user) is None


@pytest.mark.parametrize("again", range(3))
async def test_rc_01_one_of_a_hundred_parallel_uses_gets_it(uow: UnitOfWork, again: int) -> None:
    token = new_token(await registered(uow))
    await add(uow, token)
    barrier = asyncio.Barrier(100)

    async def attempt() -> OneTimeToken | None:
        await barrier.wait()
        async with uow.begin() as tx:
            used = await tx.one_time_tokens.use(token.digest, token.purpose, at=NOW)
            # Memory would let nobody in between.
            await asyncio.sleep(0)
            return used

    got = [used for used in await asyncio.gather(*(attempt() for _ in range(100))) if used is not None]
    assert got == [replace(token, spent_at=NOW)]
    assert await find(uow, token) is None


class ChangeOfMind(Exception):
    """Rolls a block back."""


@pytest.mark.parametrize("outcome", ["committed", "rolled back"])
async def test_a_use_waits_for_the_one_before_and_gets_what_that_one_left(uow: UnitOfWork, outcome: str) -> None:
    token = new_token(await registered(uow))
    await add(uow, token)
    used = asyncio.Event()

    async def hold() -> None:
        async with uow.begin() as tx:
            assert await tx.one_time_tokens.use(token.digest, token.purpose, at=NOW) is not None
            used.set()
            await asyncio.sleep(0)
            # Nobody else sees it, and nobody else gets it.
            assert await find(uow, token) == token
            if outcome == "rolled back":
                raise ChangeOfMind

    async def intrude() -> OneTimeToken | None:
        async with uow.begin() as tx:
            await used.wait()
            return await tx.one_time_tokens.use(token.digest, token.purpose, at=NOW)

    _, got = await asyncio.gather(hold(), intrude(), return_exceptions=True)
    assert got == (replace(token, spent_at=NOW) if outcome == "rolled back" else None)


async def test_a_use_that_is_rolled_back_leaves_the_token_good(uow: UnitOfWork) -> None:
    token = new_token(await registered(uow))
    await add(uow, token)

    async def use_and_fail() -> None:
        async with uow.begin() as tx:
            await tx.one_time_tokens.use(token.digest, token.purpose, at=NOW)
            raise ChangeOfMind

    with pytest.raises(ChangeOfMind):
        await use_and_fail()
    assert await find(uow, token) == token
    assert await use(uow, token) is not None


async def test_a_code_may_be_tried_a_few_times_and_the_link_stays_good(uow: UnitOfWork) -> None:
    user = await registered(uow)
    token = with_code(new_token(user, VERIFY), attempts=3)
    await add(uow, token)
    assert [await attempts_left(uow, user) for _ in range(5)] == [2, 1, 0, None, None]
    assert await find(uow, token) == with_code(token, attempts=0)


async def test_a_code_may_be_tried_until_it_expires_by_its_user_for_its_purpose(uow: UnitOfWork) -> None:
    user, other = await registered(uow), await registered(uow, "bob@example.com")
    await add(uow, with_code(new_token(user, VERIFY)), new_token(user, RESET), new_token(other, VERIFY))
    assert await attempts_left(uow, user, DUE) is None
    assert await attempts_left(uow, user, DUE - TICK) == 4
    assert await attempts_left(uow, user, purpose=RESET) is None
    assert await attempts_left(uow, other) is None
    assert await attempts_left(uow, new_user()) is None


async def test_of_three_hundred_parallel_tries_as_many_count_as_there_are_attempts(uow: UnitOfWork) -> None:
    """Incident 41."""
    user = await registered(uow)
    await add(uow, with_code(new_token(user, VERIFY), attempts=5))
    # As many as have connections; the others only wait for one.
    at_once = asyncio.Semaphore(20)

    async def attempt() -> int | None:
        async with at_once, uow.begin() as tx:
            tried = await tx.one_time_tokens.try_code(user.id, VERIFY, at=NOW)
            await asyncio.sleep(0)
        return tried.code.attempts_left if tried is not None and tried.code is not None else None

    left = [tried for tried in await asyncio.gather(*(attempt() for _ in range(300))) if tried is not None]
    assert sorted(left) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("issued_from", "alive"), [(None, 0), (NOW, 0), (NOW + TICK, 1), (NOW + 3 * TICK, 3)])
async def test_tokens_of_one_user_and_purpose_are_spent_from_a_moment_on(
    uow: UnitOfWork, issued_from: datetime | None, alive: int
) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    tokens = [new_token(ada, REVERT, at=NOW + number * TICK) for number in range(3)]
    others = [new_token(ada, RESET), new_token(bob, REVERT)]
    await add(uow, *tokens, *others)
    async with uow.begin() as tx:
        await tx.one_time_tokens.spend(ada.id, REVERT, at=NOW, issued_from=issued_from)
    assert [token for token in tokens if await find(uow, token) is not None] == tokens[:alive]
    assert [await find(uow, token) for token in others] == others


async def test_a_user_has_a_good_token_until_it_is_none(uow: UnitOfWork) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    await add(uow, new_token(ada), new_token(bob, VERIFY))

    async def has_good(user: User, purpose: Purpose, at: datetime = NOW) -> bool:
        async with uow.read() as tx:
            return await tx.one_time_tokens.has_good(user.id, purpose, at=at)

    assert [await has_good(ada, RESET), await has_good(ada, VERIFY), await has_good(bob, RESET)] == [True, False, False]
    assert [await has_good(ada, RESET, END - TICK), await has_good(ada, RESET, END)] == [True, False]
    async with uow.begin() as tx:
        await tx.one_time_tokens.spend(ada.id, RESET, at=NOW)
    assert not await has_good(ada, RESET)


async def test_tokens_that_expired_before_a_moment_are_forgotten(uow: UnitOfWork) -> None:
    user = await registered(uow)
    kept = new_token(user, VERIFY)
    gone = [new_token(user, RESET, end=END - TICK), new_token(user, REVERT, end=END - TICK)]
    await add(uow, *gone, kept)
    purged = []
    for _ in range(2):
        async with uow.begin() as tx:
            purged.append(await tx.one_time_tokens.purge(expired_before=END, limit=100))
    assert purged == [2, 0]
    assert [await find(uow, token) for token in gone] == [None, None]
    assert await find(uow, kept) == kept


WRITES: dict[str, Callable[[Transaction, OneTimeToken], Awaitable[object]]] = {
    "add": lambda tx, token: tx.one_time_tokens.add(replace(token, purpose=REVERT)),
    "use": lambda tx, token: tx.one_time_tokens.use(token.digest, token.purpose, at=NOW),
    "use of an unknown one": lambda tx, token: tx.one_time_tokens.use(bytes(32), token.purpose, at=NOW),
    "try_code": lambda tx, token: tx.one_time_tokens.try_code(token.user_id, token.purpose, at=NOW),
    "try_code of nobody": lambda tx, token: tx.one_time_tokens.try_code(new_user().id, token.purpose, at=NOW),
    "spend": lambda tx, token: tx.one_time_tokens.spend(token.user_id, token.purpose, at=NOW),
    "purge": lambda tx, _: tx.one_time_tokens.purge(expired_before=NOW, limit=100),
}


@pytest.mark.parametrize("write", WRITES)
async def test_tokens_change_in_transactions_only(uow: UnitOfWork, write: str) -> None:
    token = with_code(new_token(await registered(uow), VERIFY))
    await add(uow, token)

    async def attempt() -> None:
        async with uow.read() as tx:
            await WRITES[write](tx, token)

    with pytest.raises(ReadOnlyBlock):
        await attempt()
    assert await find(uow, token) == token


async def test_of_tokens_that_are_added_at_once_without_a_lock_one_is_good(uow: UnitOfWork) -> None:
    user = await registered(uow)
    tokens = [new_token(user) for _ in range(8)]
    barrier = asyncio.Barrier(len(tokens))

    async def add_one(token: OneTimeToken) -> bool:
        async with uow.begin() as tx:
            await barrier.wait()
            await tx.one_time_tokens.add(token)
        return True

    outcomes = await asyncio.gather(*map(add_one, tokens), return_exceptions=True)
    assert all(outcome is True or isinstance(outcome, DuplicateKey) for outcome in outcomes)
    assert sum([await find(uow, token) is not None for token in tokens]) == 1
