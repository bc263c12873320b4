"""What the mailbox of development promises, and the mailer that fills it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.mail.content import SAMPLES, VARIABLES
from adapters.mail.mailbox_mailer import MailboxMailer
from adapters.mail.templates import Templates
from adapters.memory.clock import MemoryClock
from adapters.memory.mailbox import MemoryMailbox
from adapters.postgres.mailbox import PostgresMailbox
from adapters.system.randomness import SystemRandomness
from application.ports.mailbox import Mailbox, ReceivedMail
from application.ports.mailer import Mail
from application.ports.unit_of_work import UnitOfWork
from domain.ids import AuditEntryId, MessageId
from domain.messages.message import Message, MessageKind
from domain.users.user import User
from tests.world import new_user

NOW = MemoryClock().now()
SECOND = timedelta(seconds=1)

_randomness = SystemRandomness()


@pytest.fixture(params=["memory", "postgres"])
def where(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def uow(where: str, request: pytest.FixtureRequest) -> UnitOfWork:
    """Where the messages are that the mails came of."""
    unit_of_work: UnitOfWork = request.getfixturevalue(f"{where}_uow")
    return unit_of_work


@pytest.fixture
def mailbox(where: str, engine: AsyncEngine) -> Mailbox:
    return MemoryMailbox() if where == "memory" else PostgresMailbox(engine)


type Write = Callable[[datetime], Awaitable[ReceivedMail]]


@pytest.fixture
async def user(uow: UnitOfWork) -> User:
    user = new_user()
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


@pytest.fixture
def written(uow: UnitOfWork, user: User) -> Write:
    """Write a message, for a mail that comes of it."""

    async def write(at: datetime) -> ReceivedMail:
        message_id = MessageId(_randomness.uuid(at=at))
        message = Message.queued(
            id=message_id,
            event_id=AuditEntryId(_randomness.uuid(at=at)),
            kind=MessageKind.ALREADY_REGISTERED,
            user_id=user.id,
            recipient=user.email,
            locale=None,
            sealed_content="sealed",
            at=at,
        )
        async with uow.begin() as tx:
            assert await tx.messages.add(message)
        return ReceivedMail(
            id=message_id,
            recipient=str(user.email),
            subject="Grüße 🗝",
            text="first line\nsecond line\n",
            html="<p>Grüße</p>",
            received_at=NOW + timedelta(microseconds=1),
        )

    return write


async def test_every_field_comes_back_as_it_went_in(mailbox: Mailbox, written: Write) -> None:
    mail = await written(NOW)
    await mailbox.put(mail)
    assert await mailbox.find(mail.id) == mail
    assert list(await mailbox.latest(limit=10)) == [mail]


async def test_a_mail_that_did_not_arrive_is_not_found(mailbox: Mailbox, written: Write) -> None:
    mail = await written(NOW)
    assert await mailbox.find(mail.id) is None
    assert list(await mailbox.latest(limit=10)) == []


async def test_the_same_mail_again_arrives_as_one(mailbox: Mailbox, written: Write) -> None:
    mail, other = await written(NOW), await written(NOW + SECOND)
    await mailbox.put(mail)
    await mailbox.put(other)
    again = replace(mail, subject="again", received_at=NOW + 2 * SECOND)
    await mailbox.put(again)
    assert list(await mailbox.latest(limit=10)) == [other, again]
    assert await mailbox.find(mail.id) == again


async def test_mails_come_newest_first_and_no_more_than_asked_for(mailbox: Mailbox, written: Write) -> None:
    first, second, third = [await written(NOW + number * SECOND) for number in range(3)]
    for mail in (second, third, first):
        await mailbox.put(mail)
    assert list(await mailbox.latest(limit=10)) == [third, second, first]
    assert list(await mailbox.latest(limit=2)) == [third, second]


async def test_what_is_mailed_arrives_in_words_and_once_however_often_it_is_sent(
    mailbox: Mailbox, written: Write, user: User
) -> None:
    message_id = (await written(NOW)).id
    mailer = MailboxMailer(mailbox, templates=Templates(service="accounts.example.com"), clock=MemoryClock())
    kind = MessageKind.NEW_DEVICE
    mail = Mail(
        id=message_id,
        kind=kind,
        recipient=user.email,
        locale="de",
        content={name: SAMPLES[name] for name in VARIABLES[kind]},
        written_at=NOW,
    )
    await mailer.send(mail)
    await mailer.send(mail)
    (arrived,) = await mailbox.latest(limit=10)
    assert (arrived.id, arrived.recipient, arrived.received_at) == (message_id, "ada@example.com", NOW)
    assert "Firefox on Windows" in arrived.text
    assert "Firefox on Windows" in arrived.html
