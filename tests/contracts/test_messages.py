"""What the repository of messages promises."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DuplicateKey, ReadOnlyBlock, UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.ids import AuditEntryId, MessageId
from domain.messages.message import Message, MessageKind, MessageNotFound, MessagePolicy, MessageState
from domain.users.user import User, UserNotFound
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)

_randomness = SystemRandomness()


def new_message(
    user: User,
    *,
    event_id: AuditEntryId | None = None,
    kind: MessageKind = MessageKind.VERIFY_EMAIL,
    locale: str | None = None,
    at: datetime = NOW,
) -> Message:
    return Message.queued(
        id=MessageId(_randomness.uuid(at=at)),
        event_id=event_id or AuditEntryId(_randomness.uuid(at=at)),
        kind=kind,
        user_id=user.id,
        recipient=user.email,
        locale=locale,
        sealed_content="sealed",
        at=at,
    )


async def registered(uow: UnitOfWork, email: str = "Ada@Example.com") -> User:
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def add(uow: UnitOfWork, message: Message) -> bool:
    async with uow.begin() as tx:
        return await tx.messages.add(message)


async def save(uow: UnitOfWork, message: Message) -> None:
    async with uow.begin() as tx:
        await tx.messages.save(message)


async def latest(uow: UnitOfWork, state: MessageState | None = None, limit: int = 100) -> Sequence[Message]:
    async with uow.read() as tx:
        return list(await tx.messages.page(state=state, limit=limit))


def send(message: Message) -> None:
    message.attempt(at=NOW + TICK)
    message.sent(at=NOW + TICK)


def fail(message: Message) -> None:
    message.attempt(at=NOW + TICK)
    message.failed("451 at RCPT: später", policy=MessagePolicy(), at=NOW + 2 * TICK)


def refuse(message: Message) -> None:
    message.attempt(at=NOW + TICK)
    message.refused("5" * 300, at=NOW + TICK)


FATES: dict[MessageState, Callable[[Message], None]] = {
    MessageState.QUEUED: lambda _: None,
    MessageState.SENT: send,
    MessageState.FAILED: fail,
    MessageState.DEAD: refuse,
}


@pytest.mark.parametrize("state", MessageState)
async def test_every_field_comes_back_as_it_went_in(uow: UnitOfWork, state: MessageState) -> None:
    message = new_message(await registered(uow), locale="de-CH" if state is MessageState.SENT else None)
    assert await add(uow, message)
    FATES[state](message)
    await save(uow, message)
    assert (message.state, message.version) == (state, 2)
    async with uow.begin() as tx:
        assert await tx.messages.lock(message.id) == message
    assert await latest(uow) == [message]


async def test_changing_a_message_without_saving_changes_nothing(uow: UnitOfWork) -> None:
    message = new_message(await registered(uow))
    await add(uow, message)
    message.attempt(at=NOW)
    (await latest(uow))[0].attempt(at=NOW)
    assert [stored.attempts for stored in await latest(uow)] == [0]


async def test_a_message_belongs_to_an_existing_user(uow: UnitOfWork) -> None:
    with pytest.raises(UserNotFound):
        await add(uow, new_message(new_user()))


async def test_no_id_is_taken_twice(uow: UnitOfWork) -> None:
    user = await registered(uow)
    message, other = new_message(user), new_message(user)
    await add(uow, message)
    other.id = message.id
    with pytest.raises(DuplicateKey):
        await add(uow, other)


async def test_an_event_makes_one_message_of_each_kind(uow: UnitOfWork) -> None:
    user = await registered(uow)
    first = new_message(user)
    second = new_message(user, event_id=first.event_id, at=NOW + SECOND)
    another_kind = new_message(user, event_id=first.event_id, kind=MessageKind.NEW_DEVICE, at=NOW + 2 * SECOND)
    another_event = new_message(user, at=NOW + 3 * SECOND)
    added = [await add(uow, message) for message in (first, second, another_kind, another_event)]
    assert added == [True, False, True, True]
    assert await latest(uow) == [another_event, another_kind, first]


async def test_a_second_one_is_no_refusal_that_would_end_the_transaction(uow: UnitOfWork) -> None:
    user = await registered(uow)
    first = new_message(user)
    other = new_message(user, at=NOW + SECOND)
    async with uow.begin() as tx:
        assert await tx.messages.add(first)
        assert not await tx.messages.add(new_message(user, event_id=first.event_id))
        assert await tx.messages.add(other)
    assert await latest(uow) == [other, first]


async def test_one_of_twenty_parallel_messages_of_an_event_is_added(uow: UnitOfWork) -> None:
    user = await registered(uow)
    event_id = new_message(user).event_id
    barrier = asyncio.Barrier(20)

    async def attempt() -> bool:
        await barrier.wait()
        async with uow.begin() as tx:
            added = await tx.messages.add(new_message(user, event_id=event_id))
            await asyncio.sleep(0)
            return added

    assert sum(await asyncio.gather(*(attempt() for _ in range(20)))) == 1
    assert len(await latest(uow)) == 1


class ChangeOfMind(Exception):
    """Rolls a block back."""


@pytest.mark.parametrize("outcome", ["committed", "rolled back"])
async def test_whoever_adds_the_same_waits_for_what_becomes_of_the_first(uow: UnitOfWork, outcome: str) -> None:
    user = await registered(uow)
    first = new_message(user)
    second = new_message(user, event_id=first.event_id)
    added = asyncio.Event()

    async def hold() -> None:
        async with uow.begin() as tx:
            assert await tx.messages.add(first)
            added.set()
            await asyncio.sleep(0)
            assert await latest(uow) == []
            if outcome == "rolled back":
                raise ChangeOfMind

    async def intrude() -> bool:
        async with uow.begin() as tx:
            await added.wait()
            return await tx.messages.add(second)

    _, second_is_added = await asyncio.gather(hold(), intrude(), return_exceptions=True)
    assert second_is_added is (outcome == "rolled back")
    assert await latest(uow) == ([second] if outcome == "rolled back" else [first])


async def test_a_stale_copy_cannot_be_saved(uow: UnitOfWork) -> None:
    message = new_message(await registered(uow))
    await add(uow, message)
    (copy,) = await latest(uow)
    send(message)
    await save(uow, message)
    fail(copy)
    with pytest.raises(ConcurrentUpdate):
        await save(uow, copy)
    assert await latest(uow) == [message]


async def test_a_message_whose_user_is_gone_cannot_be_saved(uow: UnitOfWork) -> None:
    user = await registered(uow)
    message = new_message(user)
    await add(uow, message)
    async with uow.begin() as tx:
        await tx.users.remove(user.id)
    with pytest.raises(ConcurrentUpdate):
        await save(uow, message)


async def test_a_message_that_is_not_there_is_not_found(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        with pytest.raises(MessageNotFound):
            await tx.messages.lock(new_message(new_user()).id)


async def test_a_message_is_locked_in_transactions_only(uow: UnitOfWork) -> None:
    message = new_message(await registered(uow))
    await add(uow, message)

    async def lock() -> None:
        async with uow.read() as tx:
            await tx.messages.lock(message.id)

    with pytest.raises(ReadOnlyBlock):
        await lock()


async def test_whoever_locks_a_message_sees_what_the_one_before_made_of_it(uow: UnitOfWork) -> None:
    message = new_message(await registered(uow))
    await add(uow, message)

    async def count_an_attempt() -> None:
        async with uow.begin() as tx:
            mine = await tx.messages.lock(message.id)
            await asyncio.sleep(0)
            mine.attempt(at=NOW)
            await tx.messages.save(mine)

    await asyncio.gather(*(count_an_attempt() for _ in range(20)))
    assert [stored.attempts for stored in await latest(uow)] == [20]


async def test_messages_come_newest_first_of_one_user_or_of_one_state_and_no_more_than_asked_for(
    uow: UnitOfWork,
) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    messages = [new_message(user, at=NOW + number * SECOND) for number, user in enumerate([ada, bob, ada, ada])]
    for message in (messages[2], messages[0], messages[3], messages[1]):
        await add(uow, message)
    first, second, third, fourth = messages
    for message in (first, second, fourth):
        send(message)
        await save(uow, message)
    async with uow.read() as tx:
        assert list(await tx.messages.of_user(ada.id)) == [fourth, third, first]
        assert list(await tx.messages.of_user(new_user().id)) == []
    assert await latest(uow) == [fourth, third, second, first]
    assert await latest(uow, limit=2) == [fourth, third]
    assert await latest(uow, MessageState.SENT) == [fourth, second, first]
    assert await latest(uow, MessageState.SENT, limit=2) == [fourth, second]
    assert await latest(uow, MessageState.QUEUED) == [third]
    assert await latest(uow, MessageState.DEAD) == []


async def test_what_has_been_sent_or_dead_since_before_a_moment_is_forgotten(uow: UnitOfWork) -> None:
    user = await registered(uow)
    for fate in FATES.values():
        for updated_at in (NOW - TICK, NOW):
            message = new_message(user)
            await add(uow, message)
            fate(message)
            message.updated_at = updated_at
            await save(uow, message)
    purged = []
    for _ in range(2):
        async with uow.begin() as tx:
            purged.append(await tx.messages.purge(updated_before=NOW, limit=100))
    assert purged == [2, 0]
    left = {(message.state, message.updated_at) for message in await latest(uow)}
    waiting = {(state, NOW - TICK) for state in (MessageState.QUEUED, MessageState.FAILED)}
    assert left == {(state, NOW) for state in MessageState} | waiting


async def test_a_died_message_is_written_down_with_it(uow: UnitOfWork) -> None:
    user = await registered(uow)
    message = new_message(user)
    await add(uow, message)
    refuse(message)
    await save(uow, message)
    async with uow.read() as tx:
        died, _ = await tx.audit.of_user(user.id)
        assert await tx.audit.find(died.id) == died
    assert (died.event, died.details) == ("message.died", {"message_id": str(message.id), "kind": "verify_email"})


async def test_messages_of_a_kind_to_an_address_are_counted_whosever_they_are(uow: UnitOfWork) -> None:
    ada, bob = await registered(uow), await registered(uow, "bob@example.com")
    async with uow.begin() as tx:
        for user, kind, at in (
            (ada, MessageKind.VERIFY_EMAIL, NOW),
            (bob, MessageKind.VERIFY_EMAIL, NOW + TICK),
            (ada, MessageKind.NEW_DEVICE, NOW + TICK),
        ):
            await tx.messages.add(replace(new_message(user, kind=kind), recipient=ada.email, created_at=at))
        await tx.messages.add(new_message(bob))
    async with uow.read() as tx:
        counts = [
            await tx.messages.count(ada.email, MessageKind.VERIFY_EMAIL, created_after=after)
            for after in (NOW - TICK, NOW, NOW + TICK)
        ]
    assert counts == [2, 1, 0]


async def test_of_many_messages_that_wait_some_are_queued_again_at_a_time(uow: UnitOfWork) -> None:
    user = await registered(uow)
    async with uow.begin() as tx:
        for _ in range(3):
            await tx.messages.add(new_message(user))
    requeued = []
    for _ in range(3):
        async with uow.begin() as tx:
            requeued.append(await tx.messages.requeue(untouched_since=NOW, at=NOW + TICK, limit=2))
    assert requeued == [2, 1, 0]


async def test_only_messages_that_wait_and_were_not_touched_since_are_queued_again(uow: UnitOfWork) -> None:
    user = await registered(uow)
    stranded, fresh, sent, dead = (new_message(user) for _ in range(4))
    stranded.updated_at, fresh.updated_at = NOW, NOW + TICK
    async with uow.begin() as tx:
        for message in (stranded, fresh, sent, dead):
            await tx.messages.add(message)
        sent.sent(at=NOW)
        dead.refused("550", at=NOW)
        for message in (sent, dead):
            await tx.messages.save(message)
    later = NOW + timedelta(hours=1)
    requeued = []
    for _ in range(2):
        async with uow.begin() as tx:
            requeued.append(await tx.messages.requeue(untouched_since=NOW, at=later, limit=100))
    assert requeued == [1, 0]
    async with uow.begin() as tx:
        assert (await tx.messages.lock(stranded.id)).updated_at == later
        assert (await tx.messages.lock(fresh.id)).updated_at == NOW + TICK
