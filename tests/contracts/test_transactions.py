"""What a unit of work promises."""

import asyncio
from contextlib import suppress

import pytest

from application.ports.unit_of_work import (
    DatabaseUnavailable,
    ReadOnlyBlock,
    Transaction,
    TransactionEnded,
    UnitOfWork,
)
from domain.errors import ConcurrentUpdate
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import EndReason, Session, SessionNotFound
from domain.users.registration import EmailAlreadyRegistered
from domain.users.user import User, UserNotFound
from tests.world import new_session, new_user


async def add(uow: UnitOfWork, user: User) -> User:
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def is_there(uow: UnitOfWork, user: User) -> bool:
    async with uow.read() as tx:
        return await tx.users.find_by_email(user.email) is not None


class Interruption(Exception):
    """Something that the block raises by itself."""


async def test_what_was_written_is_there_afterwards(uow: UnitOfWork) -> None:
    assert await is_there(uow, await add(uow, new_user()))


async def test_nothing_is_kept_when_the_block_raises(uow: UnitOfWork) -> None:
    user = new_user()

    async def interrupted() -> None:
        async with uow.begin() as tx:
            await tx.users.add(user)
            raise Interruption

    with pytest.raises(Interruption):
        await interrupted()
    assert not await is_there(uow, user)
    async with uow.read() as tx:
        assert await tx.audit.of_user(user.id, limit=10) == []


@pytest.mark.parametrize("error", [FileNotFoundError(), TimeoutError(), ValueError()])
async def test_what_the_block_raises_by_itself_comes_out_as_it_is(uow: UnitOfWork, error: Exception) -> None:
    async def failing() -> None:
        async with uow.begin():
            raise error

    with pytest.raises(type(error)):
        await failing()


async def test_a_transaction_sees_what_it_wrote_and_others_do_not_yet(uow: UnitOfWork) -> None:
    user = new_user()
    async with uow.begin() as tx:
        await tx.users.add(user)
        assert await tx.users.get(user.id) == user
        assert not await is_there(uow, user)


async def test_a_transaction_sees_what_others_have_committed_meanwhile(uow: UnitOfWork) -> None:
    user = new_user()
    async with uow.begin() as tx:
        assert await tx.users.find_by_email(user.email) is None
        await add(uow, new_user())
        assert await tx.users.find_by_email(user.email) is not None


async def test_overlapping_transactions_both_keep_their_writes(uow: UnitOfWork) -> None:
    first, second = new_user("first@example.com"), new_user("second@example.com")
    async with uow.begin() as one, uow.begin() as other:
        await one.users.add(first)
        await other.users.add(second)
    assert await is_there(uow, first)
    assert await is_there(uow, second)


async def test_a_refused_write_ends_the_transaction(uow: UnitOfWork) -> None:
    await add(uow, new_user())

    async def go_on() -> None:
        async with uow.begin() as tx:
            with suppress(EmailAlreadyRegistered):
                await tx.users.add(new_user())
            await tx.users.find_by_email(new_user().email)

    with pytest.raises(TransactionEnded):
        await go_on()


async def test_a_swallowed_refusal_is_loud(uow: UnitOfWork) -> None:
    await add(uow, new_user())
    other = new_user("other@example.com")

    async def swallow() -> None:
        async with uow.begin() as tx:
            await tx.users.add(other)
            with suppress(EmailAlreadyRegistered):
                await tx.users.add(new_user())

    with pytest.raises(TransactionEnded):
        await swallow()
    assert not await is_there(uow, other)


async def test_not_finding_something_is_no_refused_write(uow: UnitOfWork) -> None:
    user = new_user()
    async with uow.begin() as tx:
        with suppress(UserNotFound):
            await tx.users.get(user.id)
        await tx.users.add(user)
    assert await is_there(uow, user)


async def test_a_block_of_reads_cannot_write(uow: UnitOfWork) -> None:
    async def write() -> None:
        async with uow.read() as tx:
            await tx.users.add(new_user())

    with pytest.raises(ReadOnlyBlock):
        await write()


async def test_a_block_of_reads_cannot_lock(uow: UnitOfWork) -> None:
    session = await stored_session(uow)

    async def lock() -> None:
        async with uow.read() as tx:
            await tx.sessions.lock(session.id)

    with pytest.raises(ReadOnlyBlock):
        await lock()


async def stored_session(uow: UnitOfWork) -> Session:
    user = new_user()
    session = new_session(user)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
    return session


async def test_whoever_locks_a_session_sees_what_the_one_before_made_of_it(uow: UnitOfWork) -> None:
    session = await stored_session(uow)
    ended = 0

    async def end_it() -> None:
        nonlocal ended
        async with uow.begin() as tx:
            mine = await tx.sessions.lock(session.id)
            await asyncio.sleep(0)
            if mine.end(reason=EndReason.SIGNED_OUT, at=mine.created_at):
                await tx.sessions.save(mine)
                ended += 1

    await asyncio.gather(*(end_it() for _ in range(20)))
    assert ended == 1


async def test_a_saver_waits_for_the_one_who_holds_the_lock(uow: UnitOfWork) -> None:
    session = await stored_session(uow)
    locked, outcomes = asyncio.Event(), []

    async def hold() -> None:
        async with uow.begin() as tx:
            mine = await tx.sessions.lock(session.id)
            locked.set()
            await asyncio.sleep(0)
            mine.end(reason=EndReason.SIGNED_OUT, at=mine.created_at)
            await tx.sessions.save(mine)
            # Before the lock is let go: who is told first afterwards is for the loop to say.
            outcomes.append("holder")

    async def intrude() -> None:
        await locked.wait()
        try:
            async with uow.begin() as tx:
                session.end(reason=EndReason.SIGNED_OUT, at=session.created_at)
                await tx.sessions.save(session)
        except ConcurrentUpdate:
            outcomes.append("intruder refused")

    await asyncio.gather(hold(), intrude())
    assert outcomes == ["holder", "intruder refused"]


async def test_whoever_waits_too_long_is_told_to_come_back(uow: UnitOfWork) -> None:
    session = await stored_session(uow)

    async def lock_as_well() -> None:
        async with uow.begin() as other:
            await other.sessions.lock(session.id)

    async with uow.begin() as tx:
        await tx.sessions.lock(session.id)
        with pytest.raises(DatabaseUnavailable):
            await lock_as_well()


async def test_a_block_that_is_over_answers_no_more(uow: UnitOfWork) -> None:
    kept: list[Transaction] = []
    async with uow.read() as tx:
        kept.append(tx)
    with pytest.raises(Exception, match=r"over|closed"):
        await kept[0].users.find_by_email(new_user().email)


async def test_a_block_of_one_write_keeps_it(uow: UnitOfWork) -> None:
    user = new_user()
    session = new_session(user)
    token = RefreshToken.first(RefreshTokenSecret.from_random(bytes(32)), session_id=session.id, at=session.created_at)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
    async with uow.write() as tx:
        assert await tx.refresh_tokens.find(token.digest) is None
        await tx.refresh_tokens.add(token)
    async with uow.read() as tx:
        assert await tx.refresh_tokens.find(token.digest) == token


async def test_a_new_user_and_what_is_told_of_them_are_one_write(uow: UnitOfWork) -> None:
    user, second = new_user(), new_user()
    async with uow.write() as tx:
        await tx.users.add(user)

    async def add_second() -> None:
        async with uow.write() as tx:
            await tx.users.add(second)

    with pytest.raises(EmailAlreadyRegistered):
        await add_second()
    async with uow.read() as tx:
        assert await tx.users.get(user.id) == user
        assert [entry.event for entry in await tx.audit.of_user(user.id)] == ["user.registered"]
        assert await tx.audit.of_user(second.id) == []


async def test_a_block_of_one_write_does_not_write_twice(uow: UnitOfWork) -> None:
    async def write_twice() -> None:
        async with uow.write() as tx:
            session = new_session(new_user())
            for _ in range(2):
                await tx.sessions.note_use(session.id, at=session.created_at, unless_after=session.created_at)

    with pytest.raises(TransactionEnded, match="one write"):
        await write_twice()


async def test_a_refusal_swallowed_in_a_block_of_one_write_is_loud(uow: UnitOfWork) -> None:
    session = new_session(new_user())
    token = RefreshToken.first(RefreshTokenSecret.from_random(bytes(32)), session_id=session.id, at=session.created_at)

    async def swallow() -> None:
        async with uow.write() as tx:
            with suppress(SessionNotFound):
                await tx.refresh_tokens.add(token)

    with pytest.raises(TransactionEnded):
        await swallow()
