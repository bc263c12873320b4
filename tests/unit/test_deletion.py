"""Going: a grace period, a change of mind, and then nothing left (PR-02, PR-03)."""

from datetime import timedelta

import pytest

from application.sessions.authenticate import Authenticate
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.forget_erased_user import ForgetErasedUser
from application.upkeep.purge_expired import PurgeExpired
from application.users.cancel_deletion import CancelDeletion
from application.users.export_user import ExportUser
from application.users.get_user import GetUser
from application.users.request_email_change import RequestEmailChange
from application.users.schedule_deletion import ScheduleDeletion
from domain.ids import UserId
from domain.messages.message import MessageKind
from domain.sessions.session import (
    InvalidAccessToken,
    InvalidCredentials,
    InvalidRefreshToken,
    RefusalReason,
    SignInRefused,
)
from domain.users.deletion import DeletionNotScheduled
from domain.users.user import User, UserNotFound
from tests.world import EMAIL, PASSWORD, World

GRACE = timedelta(days=14)


async def leave(world: World) -> User:
    user = await world.register()
    return await world.container.resolve(ScheduleDeletion).execute(user_id=user.id)


async def erase(world: World) -> int:
    return await world.container.resolve(EraseDueUsers).execute()


async def is_there(world: World, user_id: UserId) -> bool:
    try:
        await world.container.resolve(GetUser).execute(who=user_id)
    except UserNotFound:
        return False
    return True


async def test_sessions_end_at_once_and_the_user_is_told_the_date(world: World) -> None:
    user = await world.register()
    await world.work()
    issued = await world.sign_in()
    await world.container.resolve(ScheduleDeletion).execute(user_id=user.id)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(issued.refresh_token)
    notice = await world.mailed(MessageKind.DELETION_SCHEDULED)
    assert notice.content == {"at": "2026-01-01 12:00 UTC", "due": "2026-01-15 12:00 UTC"}


async def test_within_the_grace_period_one_can_sign_in_and_stay(world: World) -> None:
    user = await leave(world)
    world.clock.advance(GRACE - timedelta(seconds=1))
    await world.sign_in()
    await world.container.resolve(CancelDeletion).execute(user_id=user.id)
    assert (await world.events_of(user.id))[0] == "user.deletion_cancelled"
    world.clock.advance(timedelta(days=1))
    assert await erase(world) == 0
    assert (await world.user()).deletion_due_at is None
    with pytest.raises(DeletionNotScheduled):
        await world.container.resolve(CancelDeletion).execute(user_id=user.id)


async def test_incident_15_once_due_nothing_opens_whether_or_not_the_job_has_run(world: World) -> None:
    await leave(world)
    issued = await world.sign_in()
    world.clock.advance(GRACE)
    with pytest.raises(InvalidCredentials):
        await world.sign_in()
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(issued.refresh_token)
    with pytest.raises(InvalidAccessToken):
        await world.container.resolve(Authenticate).execute(access_token=issued.access_token)


async def test_asking_twice_moves_nothing(world: World) -> None:
    user = await leave(world)
    world.clock.advance(timedelta(days=3))
    again = await world.container.resolve(ScheduleDeletion).execute(user_id=user.id)
    assert again.deletion_due_at == user.deletion_due_at


async def test_who_cancels_at_the_last_moment_stays(world: World) -> None:
    """Between the look for those who are due and the erasing of each."""
    user = await leave(world)
    world.clock.advance(GRACE)

    class Late(EraseDueUsers):
        async def _due(self) -> list[UserId]:
            due = await super()._due()
            async with world.unit_of_work.begin() as tx:
                stored = await tx.users.lock(user.id)
                stored.deletion_due_at = None
                await tx.users.save(stored)
            return due

    assert await Late(world.unit_of_work, world.clock).execute() == 0
    assert await is_there(world, user.id)


async def test_once_due_the_user_is_erased_and_nobody_else(world: World) -> None:
    user = await leave(world)
    other = await world.register("bob@example.com")
    world.clock.advance(GRACE)
    assert await erase(world) == 1
    assert not await is_there(world, user.id)
    assert await is_there(world, other.id)
    assert await erase(world) == 0


async def test_pr_02_what_happened_remains_and_says_nothing_of_a_person(world: World) -> None:
    user = await leave(world)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(password="a wrong guess of mine")
    world.clock.advance(GRACE)
    await erase(world)
    async with world.unit_of_work.read() as tx:
        entries = await tx.audit.of_user(user.id)
    assert [entry.event for entry in entries] == [
        "user.erased",
        "sign_in.refused",
        "user.deletion_scheduled",
        "user.registered",
    ]
    assert [entry.details for entry in entries if entry.event == "sign_in.refused"] == [
        {"reason": "wrong_password", "network_address": None, "fault": None}
    ]


async def test_pr_02_what_requests_still_wrote_down_meanwhile_is_forgotten_a_minute_later(world: World) -> None:
    user = await leave(world)
    await world.work()
    world.clock.advance(GRACE)
    await erase(world)
    async with world.unit_of_work.begin() as tx:
        await tx.audit.append(
            SignInRefused(
                user_id=user.id,
                occurred_at=world.clock.now(),
                reason=RefusalReason.DELETED,
                network_address="192.0.2.7",
            )
        )
    async with world.unit_of_work.read() as tx:
        erased = next(entry for entry in await tx.audit.of_user(user.id) if entry.event == "user.erased")
    forget = world.container.resolve(ForgetErasedUser)
    assert await forget.execute(event_id=erased.id) == timedelta(minutes=1)
    world.clock.advance(timedelta(minutes=1))
    assert await forget.execute(event_id=erased.id) is None
    async with world.unit_of_work.read() as tx:
        entries = await tx.audit.of_user(user.id)
    assert not any(entry.personal or entry.details.get("network_address") for entry in entries)


async def test_pr_03_the_address_is_free_for_somebody_new(world: World) -> None:
    old = await leave(world)
    world.clock.advance(GRACE)
    await erase(world)
    new = await world.register()
    assert new.id != old.id
    await world.sign_in(EMAIL, PASSWORD)
    assert await world.events_of(new.id) == ["session.started", "user.registered"]


async def test_a_message_that_is_still_waiting_goes_with_its_user(world: World) -> None:
    await leave(world)
    world.clock.advance(GRACE)
    await erase(world)
    assert await world.work() == []


async def test_more_users_than_fit_one_look_are_all_erased(world: World) -> None:
    for number in range(105):
        user = await world.register(f"user{number}@example.com")
        await world.container.resolve(ScheduleDeletion).execute(user_id=user.id)
    world.clock.advance(GRACE)
    assert await erase(world) == 105


async def test_pr_01_the_export_holds_all_there_is_and_no_secret(world: World) -> None:
    user = await world.register()
    await world.work()
    await world.sign_in()
    export = await world.container.resolve(ExportUser).execute(user_id=user.id)
    assert export.user == await world.user()
    assert [session.device.network_address for session in export.sessions] == ["192.0.2.7"]
    assert [message.kind for message in export.messages] == [MessageKind.VERIFY_EMAIL]
    assert [entry.event for entry in export.history] == ["session.started", "user.registered"]


async def test_pr_01_what_is_over_is_forgotten_after_its_time_and_not_before(world: World) -> None:
    """Fault 45."""
    user = await world.register()
    await world.work()
    issued = await world.sign_in()
    await world.container.resolve(RequestEmailChange).execute(
        user_id=user.id, session_id=issued.session_id, new_email="ada@example.org"
    )
    world.clock.advance(timedelta(days=59))
    kept = await world.container.resolve(PurgeExpired).execute()
    assert kept == {
        "sessions": 0,
        "one_time_tokens": 1,
        "sign_in_challenges": 0,
        "passkey_ceremonies": 0,
        "totp_factors": 0,
        "messages": 1,
        "email_changes": 1,
        "sign_in_attempts": 0,
        "idempotent_requests": 0,
        "imports": 0,
        "throttles": 3,
        "personal_details": 0,
    }
    world.clock.advance(timedelta(days=2))
    # And the refresh token that it had.
    assert (await world.container.resolve(PurgeExpired).execute())["sessions"] == 1 + 1
    export = await world.container.resolve(ExportUser).execute(user_id=user.id)
    assert (export.sessions, export.messages) == ([], [])
