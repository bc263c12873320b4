"""Messages on their way: each event makes its own once, and each arrives or is seen not to (faults 19 to 23)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.mailer import MemoryMailer
from adapters.memory.secret_sealer import MemorySecretSealer
from application.messages.deliver_message import DeliverMessage
from application.messages.drafts import DRAFTERS
from application.messages.list_messages import ListMessages
from application.messages.prepare_messages import PrepareMessages
from application.ports.mailer import Mail, MailDelayed, MailRefused
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.verify_email import VerifyEmail
from application.upkeep.requeue_stranded_messages import RequeueStrandedMessages
from application.users.change_password import ChangePassword
from application.users.register_user import RegisterUser
from application.users.schedule_deletion import ScheduleDeletion
from domain.events import Event
from domain.ids import AuditEntryId, MessageId
from domain.messages.message import Message, MessageKind, MessagePolicy, MessageState
from domain.sessions.session import Device, InvalidCredentials, InvalidRefreshToken
from domain.users.registration import EmailAlreadyRegistered
from entrypoints.settings import Registration
from tests.world import EMAIL, PASSWORD, SETTINGS, World, make_world, token_of

NEW = "a louder harbour at noon"


async def latest(world: World) -> Message:
    return (await world.container.resolve(ListMessages).execute(limit=10)).items[0]


async def registration(world: World) -> AuditEntryId:
    """The id of the event, with its job undone."""
    user = await world.register()
    async with world.unit_of_work.read() as tx:
        (entry,) = await tx.audit.of_user(user.id)
    return entry.id


async def prepared(world: World) -> MessageId:
    """A message that nobody has tried to deliver yet."""
    await world.container.resolve(PrepareMessages).execute(event_id=await registration(world))
    return (await latest(world)).id


async def noticed(world: World) -> MessageId:
    """A notice, which says what is always true, and that nobody has tried to deliver yet."""
    user = await world.register()
    await world.work()
    await world.container.resolve(ScheduleDeletion).execute(user_id=user.id)
    async with world.unit_of_work.read() as tx:
        (entry, *_) = await tx.audit.of_user(user.id)
    await world.container.resolve(PrepareMessages).execute(event_id=entry.id)
    return (await latest(world)).id


async def deliver(world: World, message_id: MessageId) -> timedelta | None:
    return await world.container.resolve(DeliverMessage).execute(message_id=message_id)


async def test_an_event_makes_its_message_once_however_often_it_is_acted_on(world: World) -> None:
    event_id = await registration(world)
    for _ in range(3):
        await world.container.resolve(PrepareMessages).execute(event_id=event_id)
    (mail,) = await world.work()
    messages = await world.container.resolve(ListMessages).execute(limit=10)
    assert [(message.id, message.event_id) for message in messages.items] == [(mail.id, event_id)]


async def test_fault_20_the_token_of_the_first_try_stays_the_token(world: World) -> None:
    """Acting on the event again must not make another: the mail with the first may have been sent."""
    event_id = await registration(world)
    (mail,) = await world.work()
    await world.container.resolve(PrepareMessages).execute(event_id=event_id)
    async with world.unit_of_work.read() as tx:
        export = await tx.messages.page(limit=10)
    assert len(export) == 1
    assert token_of(mail).startswith("hp_ev_")


async def test_a_sent_message_keeps_nothing_of_what_it_said(world: World) -> None:
    await world.register()
    await world.work()
    message = await latest(world)
    assert (message.state, message.attempts, message.sealed_content) == (MessageState.SENT, 1, None)


async def test_fault_20_whoever_dies_before_writing_down_sends_the_same_mail_again(world: World) -> None:
    message_id = await prepared(world)

    class Dying(MemoryMailer):
        async def send(self, mail: Mail) -> None:
            await super().send(mail)
            raise KeyboardInterrupt

    dying = Dying()
    dead = make_world(replace(world.adapters, mailer=dying))
    with pytest.raises(KeyboardInterrupt):
        await deliver(dead, message_id)
    assert await deliver(world, message_id) is None
    assert (dying.sent[0].id, dying.sent[0].content) == (world.mailer.sent[0].id, world.mailer.sent[0].content)
    assert (await latest(world)).attempts == 2


async def test_a_message_that_was_sent_is_not_sent_again(world: World) -> None:
    message_id = await prepared(world)
    assert await deliver(world, message_id) is None
    assert await deliver(world, message_id) is None
    assert len(world.mailer.sent) == 1
    assert (await latest(world)).state is MessageState.SENT


async def test_a_message_of_a_user_who_was_erased_is_no_matter(world: World) -> None:
    message_id = await prepared(world)
    user = await world.user()
    async with world.unit_of_work.begin() as tx:
        await tx.users.remove(user.id)
    assert await deliver(world, message_id) is None
    assert world.mailer.sent == []


async def test_fault_23_a_mail_that_is_not_taken_now_waits_longer_each_time(world: World) -> None:
    message_id = await prepared(world)
    world.mailer.failure = MailDelayed("The relay answered 451 to RCPT TO.")
    waits = [await deliver(world, message_id) or timedelta() for _ in range(12)]
    longest = [min(timedelta(seconds=5) * 2**attempt, timedelta(minutes=10)) for attempt in range(12)]
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits, longest, strict=True))
    message = await latest(world)
    assert (message.state, message.attempts) == (MessageState.FAILED, 12)
    assert message.last_error == "The relay answered 451 to RCPT TO."
    world.mailer.failure = None
    assert await deliver(world, message_id) is None
    assert (await latest(world)).state is MessageState.SENT


async def test_jitter_keeps_retries_apart() -> None:
    policy = MessagePolicy()
    assert policy.wait(1, chance=0) == timedelta(seconds=2.5)
    assert policy.wait(1, chance=1) == timedelta(seconds=5)
    assert policy.wait(10_000, chance=1) == timedelta(minutes=10)


async def test_fault_22_after_three_days_it_is_dead_and_said_to_be(world: World) -> None:
    message_id = await noticed(world)
    world.mailer.failure = MailDelayed("late")
    world.clock.advance(timedelta(days=3) - timedelta(seconds=1))
    assert await deliver(world, message_id) is not None
    world.clock.advance(timedelta(seconds=1))
    assert await deliver(world, message_id) is None
    assert (await latest(world)).state is MessageState.DEAD
    assert (await world.events_of((await world.user()).id))[0] == "message.died"


async def test_a_link_that_has_expired_while_it_waited_is_not_sent_any_more(world: World) -> None:
    await world.register()
    await world.work()
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    world.mailer.failure = MailDelayed("later")
    await world.work()
    message = await latest(world)
    world.clock.advance(timedelta(minutes=30))
    world.mailer.failure = None
    sent = len(world.mailer.sent)
    assert await deliver(world, message.id) is None
    assert len(world.mailer.sent) == sent
    after = await latest(world)
    assert (after.state, after.last_error) == (MessageState.DEAD, "not sent before its link expired")


async def test_fault_23_a_mail_that_is_refused_is_dead_at_once_and_delays_no_other(world: World) -> None:
    bad = await world.register("bad@example.com")
    world.mailer.refuses.add(bad.email)
    await world.register()
    (mail,) = await world.work()
    assert mail.recipient.canonical == EMAIL
    dead = await world.container.resolve(ListMessages).execute(state=MessageState.DEAD, limit=10)
    assert [(message.recipient, message.last_error) for message in dead.items] == [(bad.email, "550 at RCPT")]


async def test_a_bug_in_sending_is_seen_on_the_message_without_its_words(world: World) -> None:
    message_id = await prepared(world)
    world.mailer.failure = KeyError("ada@example.com")
    assert await deliver(world, message_id) is not None
    assert (await latest(world)).last_error == "KeyError"


async def test_what_another_root_key_sealed_is_dead_and_says_so(world: World) -> None:
    """Fault 28."""
    message_id = await prepared(world)
    elsewhere = make_world(replace(world.adapters, secret_sealer=MemorySecretSealer("another")))
    assert await deliver(elsewhere, message_id) is None
    assert (await latest(world)).last_error == "sealed under another SECRET_KEY"


async def test_fault_21_what_a_zombie_writes_down_late_does_not_count(world: World) -> None:
    """It was stopped while sending; somebody else has been given the job and has written down more since."""
    message_id = await prepared(world)

    class Slow(MemoryMailer):
        async def send(self, mail: Mail) -> None:
            await deliver(world, message_id)
            await super().send(mail)
            raise MailRefused

    zombie = make_world(replace(world.adapters, mailer=Slow()))
    # Not done: the job may be somebody else's by now, and must not be taken from them.
    assert await deliver(zombie, message_id) == MessagePolicy().first_wait
    assert (await latest(world)).state is MessageState.SENT
    assert await deliver(world, message_id) is None


async def test_mail_is_written_in_the_users_language(world: World) -> None:
    await world.container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD, locale="de-CH")
    (mail,) = await world.work()
    assert mail.locale == "de-CH"


async def test_lg_11_a_new_kind_of_device_is_told_of_and_a_known_one_is_not(world: World) -> None:
    await world.register()
    await world.sign_in()
    assert [mail.kind for mail in await world.work()] == [MessageKind.VERIFY_EMAIL]
    await world.sign_in()
    assert await world.work() == []
    await world.sign_in(device=Device(user_agent="Firefox/145.0", network_address="198.51.100.7"))
    (mail,) = await world.work()
    assert mail.kind is MessageKind.NEW_DEVICE
    assert mail.content["network_address"] == "198.51.100.7"
    assert mail.content["device"]
    await world.sign_in(device=Device())
    (mail,) = await world.work()
    assert (mail.content["network_address"], mail.content["device"]) == ("", "")


async def test_lg_11_who_comes_back_after_a_long_time_is_told_of_it(world: World) -> None:
    await world.register()
    await world.work()
    world.clock.advance(timedelta(days=90))
    await world.sign_in()
    await world.mailed(MessageKind.NEW_DEVICE)


async def test_lg_09_a_link_for_proving_does_not_end_with_a_change_of_the_password(world: World) -> None:
    """Else whoever typed a stranger's address in keeps its owner out by changing the password all the time."""
    user = await world.register()
    issued = await world.sign_in()
    proof = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=issued.session_id, current=PASSWORD, new=NEW
    )
    await world.container.resolve(VerifyEmail).execute(proof=proof)
    assert (await world.user()).password_hash is None


async def test_rc_09_not_even_void_links_fill_a_strangers_mailbox(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    await world.work()
    resets = 0
    old, new = PASSWORD, NEW
    for _ in range(25):
        await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
        resets += [mail.kind for mail in await world.work()].count(MessageKind.RESET_PASSWORD)
        await world.container.resolve(ChangePassword).execute(
            user_id=user.id, session_id=issued.session_id, current=old, new=new
        )
        old, new = new, old
    assert resets == 20


async def test_pw_08_a_changed_password_is_told_of(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    await world.work()
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=issued.session_id, current=PASSWORD, new=NEW
    )
    assert (await world.mailed(MessageKind.PASSWORD_CHANGED)).recipient.canonical == EMAIL


async def test_fault_15_a_session_whose_token_was_used_twice_is_told_of(world: World) -> None:
    await world.register()
    issued = await world.sign_in()
    await world.work()
    await world.refresh((await world.refresh(issued.refresh_token)).refresh_token)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(issued.refresh_token)
    await world.mailed(MessageKind.TOKEN_REUSE_DETECTED)


async def test_every_event_that_becomes_a_job_is_one_that_can_happen() -> None:
    def below(event: type[Event]) -> set[str]:
        return {event.name if "name" in vars(event) else "" for event in event.__subclasses__()}

    assert set(DRAFTERS) <= below(Event)


def discreet() -> World:
    return make_world(settings=SETTINGS.model_copy(update={"registration": Registration.DISCREET}))


async def register(world: World, email: str = EMAIL, password: str = PASSWORD) -> object:
    return await world.container.resolve(RegisterUser).execute(email=email, password=password)


async def test_lg_03_discreet_registration_answers_alike_and_mails_differently() -> None:
    world = discreet()
    assert await register(world) is None
    first = await world.mailed(MessageKind.VERIFY_EMAIL)
    await world.container.resolve(VerifyEmail).execute(proof=token_of(first), password=PASSWORD)
    assert await register(world, password=NEW) is None
    second = await world.mailed(MessageKind.ALREADY_REGISTERED)
    assert {first.recipient.canonical, second.recipient.canonical} == {EMAIL}


async def test_whoever_lost_the_first_mail_registers_again_and_gets_another() -> None:
    world = discreet()
    await register(world)
    await world.work()
    await register(world)
    await world.mailed(MessageKind.VERIFY_EMAIL)


async def test_lg_03_discreet_registration_of_a_known_address_changes_nothing_of_its_user() -> None:
    world = discreet()
    await register(world)
    before = await world.user()
    await register(world, EMAIL.upper(), NEW)
    assert await world.user() == before


async def test_lg_03_discreet_registration_opens_no_door_before_the_mailbox_is_proven() -> None:
    """Else signing in with the password just chosen would tell whether the address was free."""
    world = discreet()
    await register(world)
    with pytest.raises(InvalidCredentials):
        await world.sign_in()
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    await world.container.resolve(VerifyEmail).execute(proof=token, password=PASSWORD)
    await world.sign_in()


async def test_rc_09_a_mailbox_gets_five_messages_of_a_kind_in_an_hour_whoever_asks_for_them() -> None:
    world = discreet()
    await register(world)
    proof = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    await world.container.resolve(VerifyEmail).execute(proof=proof, password=PASSWORD)
    for _ in range(12):
        await register(world)
    kinds = [mail.kind for mail in await world.work()]
    assert kinds.count(MessageKind.ALREADY_REGISTERED) == 5
    world.clock.advance(timedelta(hours=1))
    await register(world)
    assert [mail.kind for mail in await world.work()] == [MessageKind.ALREADY_REGISTERED]


async def test_a_flood_of_resets_keeps_nobody_from_getting_back_in(world: World) -> None:
    user = await world.register()
    proof = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))

    async def flood() -> list[MessageKind]:
        for _ in range(8):
            await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
        return [mail.kind for mail in await world.work()]

    assert await flood() == [MessageKind.RESET_PASSWORD] * 5
    world.clock.advance(timedelta(minutes=30))
    assert await flood() == [MessageKind.RESET_PASSWORD], "the last link has expired"
    # Other news are not lost in the flood.
    await world.container.resolve(VerifyEmail).execute(proof=proof)
    assert [mail.kind for mail in await world.work()] == [MessageKind.CHOOSE_PASSWORD]
    assert await flood() == [], "that link is good"
    assert (await world.user()).id == user.id


@pytest.mark.parametrize("email", [EMAIL, "proven@example.com", "nobody@example.com"])
async def test_lg_03_the_work_behind_the_answer_is_the_same_for_every_address(world: World, email: str) -> None:
    await world.register()
    proven = await world.register("proven@example.com")
    mails = {mail.recipient: mail for mail in await world.work()}
    await world.container.resolve(VerifyEmail).execute(proof=token_of(mails[proven.email]), caller=proven.id)
    await world.work()
    before = world.passwords.hashes
    for _ in range(7):
        await world.container.resolve(RequestEmailVerification).execute(email=email)
    await world.work()
    assert world.passwords.hashes == before + 7


async def test_what_was_asked_for_too_long_ago_is_not_answered_any_more(world: World) -> None:
    await world.register()
    await world.work()
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    world.clock.advance(timedelta(minutes=30))
    assert await world.work() == []


async def test_rc_04_a_reset_that_waits_ends_with_a_change_of_the_password(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    await world.work()
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=issued.session_id, current=PASSWORD, new=NEW
    )
    assert [mail.kind for mail in await world.work()] == [MessageKind.PASSWORD_CHANGED]


async def test_a_message_that_no_job_cares_for_is_queued_again(world: World) -> None:
    await world.register()
    world.mailer.failure = MailDelayed("later")
    await world.work()
    world.mailer.failure = None
    requeue = world.container.resolve(RequeueStrandedMessages)
    await world.lose_jobs()
    world.clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert await requeue.execute() == 0
    world.clock.advance(timedelta(seconds=1))
    assert await requeue.execute() == 1
    assert [mail.kind for mail in await world.work()] == [MessageKind.VERIFY_EMAIL]
    world.clock.advance(timedelta(days=1))
    assert await requeue.execute() == 0


async def test_open_registration_says_so(world: World) -> None:
    await register(world)
    with pytest.raises(EmailAlreadyRegistered):
        await register(world)


async def test_nobody_is_written_to_who_is_suspended(world: World) -> None:
    user = await world.register()
    await world.work()
    await world.suspend(user.id)
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    assert await world.work() == []
