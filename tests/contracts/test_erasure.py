"""What becomes of erased users (PR-02) and of sessions that are long over, and what is remembered of devices."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import ReadOnlyBlock, UnitOfWork
from domain.ids import AuditEntryId, EmailChangeId, MessageId, OneTimeTokenId, UserId
from domain.messages.message import Message, MessageKind
from domain.recovery.one_time_token import OneTimeToken, OneTimeTokenSecret, Purpose
from domain.recovery.recovery_events import PasswordResetRequested
from domain.sessions.refresh_token import RefreshToken, RefreshTokenSecret
from domain.sessions.session import Device, EndReason, RefusalReason, Session, SignInRefused
from domain.sessions.sign_in_attempt import SignInAttempt
from domain.users.deletion import DeletionPolicy
from domain.users.email_change import EmailChange
from domain.users.user import User, UserNotFound
from tests.contracts.test_sign_in_attempts import attempt
from tests.world import new_session, new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)

_randomness = SystemRandomness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """A user, and one of everything that belongs to one."""

    user: User
    session: Session
    refresh_token: RefreshToken
    change: EmailChange
    plain_token: OneTimeToken
    token_of_change: OneTimeToken
    message: Message
    attempt: SignInAttempt


def new_refresh_token(session: Session) -> RefreshToken:
    secret = RefreshTokenSecret.from_random(_randomness.secret(32))
    return RefreshToken.first(secret, session_id=session.id, at=session.created_at)


def new_token(user: User, purpose: Purpose, change: EmailChange | None = None) -> OneTimeToken:
    return OneTimeToken(
        id=OneTimeTokenId(_randomness.uuid(at=NOW)),
        user_id=user.id,
        purpose=purpose,
        digest=OneTimeTokenSecret.from_random(_randomness.secret(32), purpose=purpose).digest(),
        security_epoch=user.security_epoch,
        address=user.email.canonical,
        issued_at=NOW,
        expires_at=NOW + timedelta(days=7),
        email_change_id=change.id if change is not None else None,
    )


def belongings_of(user: User) -> Belongings:
    session = new_session(user)
    message_id = MessageId(_randomness.uuid(at=NOW))
    change = EmailChange(
        id=EmailChangeId(_randomness.uuid(at=NOW)),
        user_id=user.id,
        session_id=session.id,
        security_epoch=user.security_epoch,
        old=user.email,
        old_is_verified=True,
        new=StrictEmailParser().parse("new@example.com"),
        requested_at=NOW,
    )
    message = Message.queued(
        id=message_id,
        event_id=AuditEntryId(_randomness.uuid(at=NOW)),
        kind=MessageKind.VERIFY_EMAIL,
        user_id=user.id,
        recipient=user.email,
        locale=None,
        sealed_content="sealed",
        at=NOW,
    )
    return Belongings(
        user=user,
        session=session,
        refresh_token=new_refresh_token(session),
        change=change,
        plain_token=new_token(user, Purpose.RESET_PASSWORD),
        token_of_change=new_token(user, Purpose.REVERT_EMAIL_CHANGE, change),
        message=message,
        attempt=attempt(user.id),
    )


async def settled(uow: UnitOfWork, email: str) -> Belongings:
    """Somebody with all there is."""
    theirs = belongings_of(new_user(email))
    async with uow.begin() as tx:
        await tx.users.add(theirs.user)
        await tx.sessions.add(theirs.session)
        await tx.refresh_tokens.add(theirs.refresh_token)
        await tx.email_changes.add(theirs.change)
        await tx.one_time_tokens.add(theirs.plain_token)
        await tx.one_time_tokens.add(theirs.token_of_change)
        assert await tx.messages.add(theirs.message)
        await tx.sign_in_attempts.add(theirs.attempt)
    return theirs


async def kept_of(uow: UnitOfWork, theirs: Belongings) -> list[object]:
    """What is still there of all that."""
    user = theirs.user
    async with uow.read() as tx:
        tokens = tx.one_time_tokens
        found = [
            await tx.users.find_by_email(user.email),
            *await tx.sessions.all_of(user.id),
            await tx.refresh_tokens.find(theirs.refresh_token.digest),
            await tx.email_changes.find(theirs.change.id),
            *await tx.email_changes.of_user(user.id),
            await tokens.find_good(theirs.plain_token.digest, theirs.plain_token.purpose, at=NOW),
            await tokens.find_good(theirs.token_of_change.digest, theirs.token_of_change.purpose, at=NOW),
            *[await tokens.has_good(user.id, purpose, at=NOW) for purpose in Purpose],
            *await tx.messages.of_user(user.id),
            await tx.sign_in_attempts.find(theirs.attempt.reference),
            *await tx.sign_in_attempts.of_user(user.id),
        ]
        latest = [message for message in await tx.messages.page(limit=100) if message.user_id == user.id]
    return [one for one in (*found, *latest) if one]


async def remove(uow: UnitOfWork, user_id: UserId) -> None:
    async with uow.begin() as tx:
        await tx.users.remove(user_id)


async def test_pr_02_a_user_goes_with_all_that_belongs_to_them_and_with_nothing_of_others(uow: UnitOfWork) -> None:
    ada, bob = await settled(uow, "ada@example.com"), await settled(uow, "bob@example.com")
    of_bob = await kept_of(uow, bob)
    assert len(of_bob) == len(await kept_of(uow, ada)) == 13
    await remove(uow, ada.user.id)
    assert await kept_of(uow, ada) == []
    assert await kept_of(uow, bob) == of_bob

    async def get() -> None:
        async with uow.read() as tx:
            await tx.users.get(ada.user.id)

    with pytest.raises(UserNotFound):
        await get()


async def test_the_audit_log_outlives_the_user(uow: UnitOfWork) -> None:
    ada = await settled(uow, "ada@example.com")
    await remove(uow, ada.user.id)
    async with uow.read() as tx:
        entries = await tx.audit.of_user(ada.user.id)
    assert [entry.event for entry in entries] == ["session.started", "user.registered"]


async def test_pr_03_the_address_of_a_removed_user_is_free(uow: UnitOfWork) -> None:
    ada = await settled(uow, "ada@example.com")
    newcomer = new_user("ada@example.com")
    async with uow.begin() as tx:
        await tx.users.remove(ada.user.id)
        await tx.users.add(newcomer)
    async with uow.read() as tx:
        assert await tx.users.find_by_email(newcomer.email) == newcomer
        assert list(await tx.sessions.all_of(newcomer.id)) == []


async def test_removing_somebody_who_is_not_there_is_no_matter(uow: UnitOfWork) -> None:
    ada = await settled(uow, "ada@example.com")
    await remove(uow, new_user().id)
    assert len(await kept_of(uow, ada)) == 13


class ChangeOfMind(Exception):
    """Rolls a block back."""


async def test_a_removal_that_is_rolled_back_takes_nothing(uow: UnitOfWork) -> None:
    ada = await settled(uow, "ada@example.com")
    everything = await kept_of(uow, ada)

    async def remove_and_fail() -> None:
        async with uow.begin() as tx:
            await tx.users.remove(ada.user.id)
            await tx.audit.forget(ada.user.id)
            assert await kept_of(uow, ada) == everything
            raise ChangeOfMind

    with pytest.raises(ChangeOfMind):
        await remove_and_fail()
    assert await kept_of(uow, ada) == everything


async def test_nothing_is_removed_or_forgotten_while_reading(uow: UnitOfWork) -> None:
    ada = await settled(uow, "ada@example.com")

    async def remove_while_reading() -> None:
        async with uow.read() as tx:
            await tx.users.remove(ada.user.id)

    async def forget_while_reading() -> None:
        async with uow.read() as tx:
            await tx.audit.forget(ada.user.id)

    async def purge_while_reading() -> None:
        async with uow.read() as tx:
            await tx.sessions.purge(over_since=NOW, limit=100)

    for write in (remove_while_reading, forget_while_reading, purge_while_reading):
        with pytest.raises(ReadOnlyBlock):
            await write()


async def test_pr_02_what_is_personal_is_forgotten_of_one_user_and_that_things_happened_stays(uow: UnitOfWork) -> None:
    ada, bob = new_user("ada@example.com"), new_user("bob@example.com")
    async with uow.begin() as tx:
        for user in (ada, bob):
            await tx.users.add(user)
            refused = SignInRefused(
                user_id=user.id, occurred_at=NOW, reason=RefusalReason.WRONG_PASSWORD, network_address="192.0.2.7"
            )
            await tx.audit.append(refused)
            await tx.audit.append(
                PasswordResetRequested(user_id=user.id, occurred_at=NOW, network_address=None, security_epoch=0)
            )
    async with uow.read() as tx:
        of_ada, of_bob = await tx.audit.of_user(ada.id), await tx.audit.of_user(bob.id)
    assert [entry.event for entry in of_ada] == ["password_reset.requested", "sign_in.refused", "user.registered"]
    async with uow.begin() as tx:
        await tx.audit.forget(ada.id)
        await tx.audit.forget(ada.id)
    async with uow.read() as tx:
        requested, refused_then, registered = of_ada
        assert list(await tx.audit.of_user(ada.id)) == [
            requested,
            replace(refused_then, personal={}),
            registered,
        ]
        forgotten = await tx.audit.find(refused_then.id)
        assert forgotten == replace(refused_then, personal={})
        assert forgotten.details == {"reason": "wrong_password", "network_address": None, "fault": None}
        assert list(await tx.audit.of_user(bob.id)) == list(of_bob)
        assert await tx.audit.find(of_bob[1].id) == of_bob[1]
        assert of_bob[1].details["network_address"] == "192.0.2.7"


async def test_an_entry_that_is_not_there_is_not_found(uow: UnitOfWork) -> None:
    async with uow.read() as tx:
        assert await tx.audit.find(AuditEntryId(_randomness.uuid(at=NOW))) is None


async def doomed(uow: UnitOfWork, email: str, due_at: datetime) -> UserId:
    user = new_user(email)
    user.schedule_deletion(policy=DeletionPolicy(grace=due_at - NOW), at=NOW)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user.id


async def test_users_are_due_from_the_very_moment_longest_due_first(uow: UnitOfWork) -> None:
    due = NOW + timedelta(days=14)
    second, first, third = [await doomed(uow, f"user{number}@example.com", due + number * TICK) for number in (1, 0, 2)]
    cancelled, undisturbed = new_user("cancelled@example.com"), new_user("undisturbed@example.com")
    cancelled.schedule_deletion(policy=DeletionPolicy(grace=timedelta()), at=NOW)
    cancelled.cancel_deletion(at=NOW)
    async with uow.begin() as tx:
        await tx.users.add(cancelled)
        await tx.users.add(undisturbed)
    async with uow.read() as tx:
        for at, expected in [
            (due - TICK, []),
            (due, [first]),
            (due + TICK, [first, second]),
            (due + timedelta(days=1), [first, second, third]),
        ]:
            assert list(await tx.users.due_for_erasure(at=at, limit=10)) == expected
        assert list(await tx.users.due_for_erasure(at=due + timedelta(days=1), limit=2)) == [first, second]


FIREFOX = Device(user_agent="Mozilla/5.0 (Windows) Firefox/140", name="Firefox on Windows")
SCRIPT = Device(user_agent="curl/8")
SILENT = Device()


@pytest.mark.parametrize(
    ("device", "is_new"),
    [
        (FIREFOX, False),
        (replace(FIREFOX, user_agent="Mozilla/5.0 (Windows) Firefox/141", network_address="192.0.2.9"), False),
        (replace(FIREFOX, name="Firefox on Linux"), True),
        (replace(SCRIPT, network_address="192.0.2.9"), False),
        (Device(user_agent="curl/9"), True),
        (Device(user_agent=FIREFOX.user_agent), False),
        (SILENT, True),
    ],
)
async def test_lg_11_a_device_is_new_if_the_user_came_before_and_never_from_one_of_that_name(
    uow: UnitOfWork, device: Device, *, is_new: bool
) -> None:
    ada, bob = new_user("ada@example.com"), new_user("bob@example.com")
    async with uow.begin() as tx:
        await tx.users.add(ada)
        await tx.users.add(bob)
        assert not await tx.sessions.is_new_device(ada.id, device, first_is_new=False)
        for known in (FIREFOX, SCRIPT):
            await tx.sessions.add(replace(new_session(ada), device=known))
        await tx.sessions.add(replace(new_session(bob), device=SILENT))
    async with uow.read() as tx:
        assert await tx.sessions.is_new_device(ada.id, device, first_is_new=False) is is_new
        assert await tx.sessions.is_new_device(bob.id, device, first_is_new=False) is (device != SILENT)


async def test_a_device_of_long_ago_is_known_though_its_session_has_ended(uow: UnitOfWork) -> None:
    user = new_user()
    session = replace(new_session(user), device=FIREFOX)
    session.end(reason=EndReason.SIGNED_OUT, at=session.created_at)
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
    async with uow.read() as tx:
        assert not await tx.sessions.is_new_device(user.id, FIREFOX, first_is_new=False)
        assert await tx.sessions.is_new_device(user.id, SCRIPT, first_is_new=False)


async def test_sessions_that_ended_or_expired_before_a_moment_are_forgotten_with_their_tokens(uow: UnitOfWork) -> None:
    user = new_user()
    moment = NOW + timedelta(days=30)
    sessions = [replace(new_session(user), expires_at=moment) for _ in range(5)]
    live, ended, just_ended, expired, ended_and_expired = sessions
    for session, end in [(ended, moment - TICK), (just_ended, moment), (ended_and_expired, moment)]:
        session.end(reason=EndReason.SIGNED_OUT, at=end)
    for session in (expired, ended_and_expired):
        session.expires_at = moment - TICK
    tokens = [new_refresh_token(session) for session in sessions]
    async with uow.begin() as tx:
        await tx.users.add(user)
        for session, token in zip(sessions, tokens, strict=True):
            await tx.sessions.add(session)
            await tx.refresh_tokens.add(token)
    purged = []
    for _ in range(2):
        async with uow.begin() as tx:
            purged.append(await tx.sessions.purge(over_since=moment, limit=100))
    assert purged == [6, 0]
    async with uow.read() as tx:
        assert list(await tx.sessions.all_of(user.id)) == [just_ended, live]
        found = [await tx.refresh_tokens.find(token.digest) for token in tokens]
        assert await tx.users.get(user.id) == user
    assert found == [tokens[0], None, tokens[2], None, None]


async def test_a_session_that_was_refreshed_often_is_forgotten_a_few_tokens_at_a_time(uow: UnitOfWork) -> None:
    user = new_user()
    session = new_session(user)
    tokens = [replace(new_refresh_token(session), generation=generation) for generation in range(1, 6)]
    async with uow.begin() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
        for token in tokens:
            await tx.refresh_tokens.add(token)
    seen = []
    for _ in range(4):
        async with uow.begin() as tx:
            removed = await tx.sessions.purge(over_since=session.expires_at + TICK, limit=2)
        async with uow.read() as tx:
            left = [await tx.refresh_tokens.find(token.digest) for token in tokens]
            seen.append((removed, len(tokens) - left.count(None), len(await tx.sessions.all_of(user.id))))
    assert seen == [(2, 3, 1), (2, 1, 1), (2, 0, 0), (0, 0, 0)]


async def test_all_sessions_of_a_user_come_last_signed_in_first_live_or_not(uow: UnitOfWork) -> None:
    ada, bob = new_user("ada@example.com"), new_user("bob@example.com")
    first, second, of_bob = new_session(ada), new_session(ada), new_session(bob)
    first.end(reason=EndReason.SIGNED_OUT, at=NOW)
    async with uow.begin() as tx:
        for user in (ada, bob):
            await tx.users.add(user)
        for session in (second, of_bob, first):
            await tx.sessions.add(session)
    async with uow.read() as tx:
        assert list(await tx.sessions.all_of(ada.id)) == [second, first]
        assert list(await tx.sessions.all_of(new_user().id)) == []
