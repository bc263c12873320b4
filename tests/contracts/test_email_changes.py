"""What the repository of changes of address promises."""

from datetime import datetime, timedelta

import pytest

from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DuplicateKey, ReadOnlyBlock, UnitOfWork
from domain.ids import EmailChangeId, OneTimeTokenId, SessionId
from domain.recovery.one_time_token import OneTimeToken, OneTimeTokenSecret, Purpose
from domain.users.email_change import EmailChange
from domain.users.user import User, UserNotFound
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)

_randomness = SystemRandomness()


def new_change(user: User, *, at: datetime = NOW, new: str = "Ada+x@bücher.example.com") -> EmailChange:
    return EmailChange(
        id=EmailChangeId(_randomness.uuid(at=at)),
        user_id=user.id,
        session_id=SessionId(_randomness.uuid(at=at)),
        security_epoch=user.security_epoch,
        old=user.email,
        old_is_verified=False,
        new=StrictEmailParser().parse(new),
        requested_at=at,
    )


def token_of(change: EmailChange, purpose: Purpose) -> OneTimeToken:
    return OneTimeToken(
        id=OneTimeTokenId(_randomness.uuid(at=NOW)),
        user_id=change.user_id,
        purpose=purpose,
        digest=OneTimeTokenSecret.from_random(_randomness.secret(32), purpose=purpose).digest(),
        security_epoch=0,
        address=change.new.canonical,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=7),
        email_change_id=change.id,
    )


async def registered(uow: UnitOfWork, email: str = "Ada@Example.com") -> User:
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def add(uow: UnitOfWork, *changes: EmailChange) -> None:
    async with uow.begin() as tx:
        for change in changes:
            await tx.email_changes.add(change)


async def test_every_field_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    change = new_change(await registered(uow), at=NOW + TICK)
    await add(uow, change)
    async with uow.read() as tx:
        assert await tx.email_changes.find(change.id) == change
        assert await tx.email_changes.find(new_change(new_user()).id) is None


async def test_a_change_belongs_to_an_existing_user(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await add(uow, new_change(new_user()))


async def test_no_change_is_kept_twice(uow: UnitOfWork) -> None:
    change = new_change(await registered(uow))
    await add(uow, change)
    with pytest.raises(DuplicateKey):
        await add(uow, change)


async def test_the_changes_of_a_user_come_newest_first(uow: UnitOfWork) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    changes = [new_change(ada, at=NOW + timedelta(seconds=number)) for number in range(3)]
    await add(uow, changes[1], changes[2], new_change(bob), changes[0])
    async with uow.read() as tx:
        assert list(await tx.email_changes.of_user(ada.id)) == changes[::-1]
        assert list(await tx.email_changes.of_user(ada.id, limit=1)) == [changes[2]]
        assert list(await tx.email_changes.of_user(new_user().id)) == []


async def test_changes_from_a_moment_on_are_removed_with_their_tokens_and_only_of_one_user(uow: UnitOfWork) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    before, first, second = (new_change(ada, at=at) for at in (NOW - TICK, NOW, NOW + TICK))
    others = new_change(bob, at=NOW)
    await add(uow, before, first, second, others)
    tokens = [token_of(change, Purpose.REVERT_EMAIL_CHANGE) for change in (before, first, second, others)]
    async with uow.begin() as tx:
        for token in tokens:
            await tx.one_time_tokens.add(token)
    async with uow.begin() as tx:
        await tx.email_changes.remove(ada.id, requested_from=NOW)
    async with uow.read() as tx:
        assert list(await tx.email_changes.of_user(ada.id)) == [before]
        assert list(await tx.email_changes.of_user(bob.id)) == [others]
        found = [await tx.one_time_tokens.find_good(token.digest, token.purpose, at=NOW) for token in tokens]
    assert found == [tokens[0], None, None, tokens[3]]


async def test_changes_requested_before_a_moment_are_forgotten_with_their_tokens(uow: UnitOfWork) -> None:
    user = await registered(uow)
    old, kept = new_change(user, at=NOW - TICK), new_change(user)
    tokens = [token_of(old, Purpose.CONFIRM_EMAIL_CHANGE), token_of(old, Purpose.REVERT_EMAIL_CHANGE)]
    token_of_kept = token_of(kept, Purpose.REVERT_EMAIL_CHANGE)
    await add(uow, old, kept)
    async with uow.begin() as tx:
        for token in (*tokens, token_of_kept):
            await tx.one_time_tokens.add(token)
    purged = []
    for _ in range(2):
        async with uow.begin() as tx:
            purged.append(await tx.email_changes.purge(requested_before=NOW, limit=100))
    assert purged == [1, 0]
    async with uow.read() as tx:
        assert list(await tx.email_changes.of_user(user.id)) == [kept]
        assert [await tx.one_time_tokens.find_good(token.digest, token.purpose, at=NOW) for token in tokens] == [
            None
        ] * 2
        assert await tx.one_time_tokens.find_good(token_of_kept.digest, token_of_kept.purpose, at=NOW) == token_of_kept


async def test_changes_go_with_their_user(uow: UnitOfWork) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    of_ada, of_bob = new_change(ada), new_change(bob)
    await add(uow, of_ada, of_bob)
    async with uow.begin() as tx:
        await tx.users.remove(ada.id)
    async with uow.read() as tx:
        assert await tx.email_changes.find(of_ada.id) is None
        assert await tx.email_changes.find(of_bob.id) == of_bob


async def test_changes_are_added_and_purged_in_transactions_only(uow: UnitOfWork) -> None:
    change = new_change(await registered(uow))

    async def add_while_reading() -> None:
        async with uow.read() as tx:
            await tx.email_changes.add(change)

    async def purge_while_reading() -> None:
        async with uow.read() as tx:
            await tx.email_changes.purge(requested_before=NOW, limit=100)

    for write in (add_while_reading, purge_while_reading):
        with pytest.raises(ReadOnlyBlock):
            await write()
