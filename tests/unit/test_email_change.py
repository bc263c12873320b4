"""Moving to another address: proof at the new one, and a way back at the old one (EM-02 to EM-05)."""

from datetime import timedelta

import pytest

from application.admin.change_user import ChangeUser
from application.ports.mailer import Mail
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.recovery.verify_email import VerifyEmail
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.sign_out import SignOut
from application.users.confirm_email_change import ConfirmEmailChange
from application.users.create_user import CreateUser
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from application.users.schedule_deletion import ScheduleDeletion
from domain.errors import ConcurrentUpdate, InvalidFields
from domain.ids import UserId
from domain.messages.message import MessageKind
from domain.recovery.one_time_token import InvalidToken
from domain.sessions.session import InvalidCredentials, InvalidRefreshToken
from domain.users.user import User
from tests.world import EMAIL, PASSWORD, World, token_of

NEW = "ada@example.org"
CONFIRM, REQUESTED = MessageKind.CONFIRM_EMAIL_CHANGE, MessageKind.EMAIL_CHANGE_REQUESTED


async def verified(world: World, email: str = EMAIL) -> User:
    user = await world.register(email)
    mail = await world.mailed(MessageKind.VERIFY_EMAIL)
    return await world.container.resolve(VerifyEmail).execute(proof=token_of(mail), caller=user.id)


async def signed_in(world: World) -> tuple[UserId, IssuedTokens]:
    user = await verified(world)
    return user.id, await world.sign_in()


async def ask(world: World, user_id: UserId, issued: IssuedTokens, new: str = NEW) -> dict[MessageKind, Mail]:
    await world.work()
    await world.container.resolve(RequestEmailChange).execute(
        user_id=user_id, session_id=issued.session_id, new_email=new
    )
    return {mail.kind: mail for mail in await world.work()}


async def confirm(world: World, token: str) -> User:
    return await world.container.resolve(ConfirmEmailChange).execute(token=token)


async def revert(world: World, token: str) -> None:
    await world.container.resolve(RevertEmailChange).execute(token=token)


async def confirm_is_refused(world: World, token: str) -> bool:
    try:
        await confirm(world, token)
    except InvalidToken:
        return True
    return False


async def revert_is_refused(world: World, token: str) -> bool:
    try:
        await revert(world, token)
    except InvalidToken:
        return True
    return False


async def test_both_mailboxes_are_written_to_and_nothing_changes_yet(world: World) -> None:
    """EM-02."""
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    assert {kind: mail.recipient.canonical for kind, mail in mails.items()} == {CONFIRM: NEW, REQUESTED: EMAIL}
    assert (await world.user()).email.canonical == EMAIL
    with pytest.raises(InvalidCredentials):
        await world.sign_in(NEW)


async def test_em_02_the_proof_of_the_new_mailbox_moves_the_user(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    moved = await confirm(world, token_of(mails[CONFIRM]))
    assert (moved.id, moved.email.canonical, moved.email_verified) == (user_id, NEW, True)
    await world.sign_in(NEW)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(EMAIL)
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))


async def test_the_session_that_asked_goes_on_and_the_others_end(world: World) -> None:
    user_id, issued = await signed_in(world)
    other = await world.sign_in()
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    await world.refresh(issued.refresh_token)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(other.refresh_token)


async def test_the_old_mailbox_is_told_again_once_it_has_happened(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    notice = await world.mailed(MessageKind.EMAIL_CHANGED)
    assert (notice.recipient.canonical, notice.content["link_days"]) == (EMAIL, "7")


@pytest.mark.parametrize("which", ["requested", "changed"])
async def test_em_02_the_old_mailbox_can_take_the_user_back_for_seven_days(world: World, which: str) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    changed = await world.mailed(MessageKind.EMAIL_CHANGED)
    world.clock.advance(timedelta(days=7) - timedelta(microseconds=1))
    await revert(world, token_of(changed if which == "changed" else mails[REQUESTED]))
    user = await world.user(EMAIL)
    assert (user.id, user.email_verified, user.password_hash) == (user_id, True, None)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(issued.refresh_token)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(EMAIL)
    assert await revert_is_refused(world, token_of(changed))
    assert await revert_is_refused(world, token_of(mails[REQUESTED]))
    choose = await world.mailed(MessageKind.CHOOSE_PASSWORD)
    assert choose.recipient.canonical == EMAIL


async def test_after_seven_days_there_is_no_way_back(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    world.clock.advance(timedelta(days=7))
    assert await revert_is_refused(world, token_of(mails[REQUESTED]))


async def test_stopping_a_change_that_is_not_proven_yet_kills_its_proof(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await revert(world, token_of(mails[REQUESTED]))
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))
    assert (await world.user(EMAIL)).password_hash is None


async def test_whoever_changes_it_twice_cannot_take_the_way_back_from_the_first_owner(world: World) -> None:
    user_id, issued = await signed_in(world)
    first = await ask(world, user_id, issued, "thief@example.net")
    await confirm(world, token_of(first[CONFIRM]))
    second = await ask(world, user_id, issued, "thief@example.org")
    await confirm(world, token_of(second[CONFIRM]))
    thieves_way_back = await world.mailed(MessageKind.EMAIL_CHANGED)
    await revert(world, token_of(first[REQUESTED]))
    assert (await world.user(EMAIL)).id == user_id
    assert await revert_is_refused(world, token_of(second[REQUESTED]))
    assert await revert_is_refused(world, token_of(thieves_way_back))


async def test_a_mailbox_that_was_never_proven_is_neither_told_nor_trusted(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    assert set(await ask(world, user.id, issued)) == {CONFIRM}


async def test_em_03_a_newer_request_kills_the_older_proof(world: World) -> None:
    user_id, issued = await signed_in(world)
    first = await ask(world, user_id, issued)
    second = await ask(world, user_id, issued, "ada@example.net")
    assert await confirm_is_refused(world, token_of(first[CONFIRM]))
    assert (await confirm(world, token_of(second[CONFIRM]))).email.canonical == "ada@example.net"


async def test_em_03_the_proof_ends_after_an_hour(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    world.clock.advance(timedelta(minutes=60))
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))


async def test_em_05_moving_kills_what_was_mailed_to_the_old_address(world: World) -> None:
    """RC-04, incident 30."""
    user_id, issued = await signed_in(world)
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    reset = await world.mailed(MessageKind.RESET_PASSWORD)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    with pytest.raises(InvalidToken):
        await world.container.resolve(ResetPassword).execute(token=token_of(reset), new_password=PASSWORD + "!")


async def test_lg_03_an_address_that_somebody_has_is_answered_alike_and_gets_no_mail(world: World) -> None:
    await verified(world, NEW)
    user_id, issued = await signed_in(world)
    assert set(await ask(world, user_id, issued)) == {REQUESTED}


async def test_em_04_an_address_that_somebody_has_come_to_have_meanwhile_cannot_be_moved_to(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await verified(world, NEW)
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))
    assert (await world.user(EMAIL)).id == user_id


async def test_one_click_on_a_mail_that_a_stranger_caused_erases_nobody(world: World) -> None:
    """Not even who has not proven their address: they may have much to lose all the same."""
    held = await world.register(NEW)
    await world.work()
    user_id, issued = await signed_in(world)
    assert set(await ask(world, user_id, issued)) == {REQUESTED}
    assert (await world.user(NEW)).id == held.id


async def test_a_user_with_whom_operators_had_to_do_gives_way_to_nobody(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    suspended = await world.register(EMAIL)
    await world.suspend(suspended.id)
    assert await revert_is_refused(world, token_of(mails[REQUESTED]))
    assert (await world.user(EMAIL)).id == suspended.id


@pytest.mark.parametrize("how", ["invited", "moved there"])
async def test_nobody_is_erased_by_a_way_back_because_an_operator_put_them_on_the_address(
    world: World, how: str
) -> None:
    """Whom an operator invited or moved to the address that became free has merely proven nothing yet."""
    longer_here = await world.register("grace@example.com")
    await world.work()
    world.clock.advance(timedelta(seconds=1))
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    there = (
        await world.container.resolve(CreateUser).execute(email=EMAIL, password=None)
        if how == "invited"
        else await world.container.resolve(ChangeUser).execute(user_id=longer_here.id, email=EMAIL)
    )
    assert await revert_is_refused(world, token_of(mails[REQUESTED]))
    assert (await world.user(EMAIL)).id == there.id


async def test_lg_09_nobody_blocks_the_way_back_by_registering_the_address_that_became_free(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    squatter = await world.register(EMAIL)
    await revert(world, token_of(mails[REQUESTED]))
    assert (await world.user(EMAIL)).id == user_id
    assert (await world.events_of(squatter.id))[0] == "user.erased"


async def test_a_wish_from_before_the_owner_proved_the_mailbox_leads_nowhere(world: World) -> None:
    """Incident 39 in slow motion: the worker gets to the stranger's wish only after the owner has come."""
    user = await world.register()
    proof = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    strangers = await world.sign_in()
    await world.container.resolve(RequestEmailChange).execute(
        user_id=user.id, session_id=strangers.session_id, new_email="thief@example.net"
    )
    await world.container.resolve(VerifyEmail).execute(proof=proof)
    assert [mail.kind for mail in await world.work()] == [MessageKind.CHOOSE_PASSWORD]


async def test_a_wish_needs_a_session_that_is_live_when_it_is_written_down(world: World) -> None:
    user_id, issued = await signed_in(world)
    await world.container.resolve(SignOut).execute(session_id=issued.session_id)
    with pytest.raises(ConcurrentUpdate):
        await ask(world, user_id, issued)


async def test_a_thief_who_asks_for_another_move_while_being_sent_back_gets_no_way_back(world: World) -> None:
    user_id, issued = await signed_in(world)
    first = await ask(world, user_id, issued, "thief@example.net")
    await confirm(world, token_of(first[CONFIRM]))
    await world.work()
    await world.container.resolve(RequestEmailChange).execute(
        user_id=user_id, session_id=issued.session_id, new_email="thief@example.org"
    )
    await revert(world, token_of(first[REQUESTED]))
    assert [mail.kind for mail in await world.work()] == [MessageKind.CHOOSE_PASSWORD]


async def test_being_sent_back_cancels_a_deletion_that_the_thief_asked_for(world: World) -> None:
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await confirm(world, token_of(mails[CONFIRM]))
    await world.container.resolve(ScheduleDeletion).execute(user_id=user_id)
    await revert(world, token_of(mails[REQUESTED]))
    assert (await world.user(EMAIL)).deletion_due_at is None


@pytest.mark.parametrize("next_wish", ["free@example.net", "taken@example.net", EMAIL])
async def test_lg_03_any_further_wish_ends_the_one_before_whatever_comes_of_it(world: World, next_wish: str) -> None:
    """Else whether the older one still works would tell whether somebody has the address."""
    await verified(world, "taken@example.net")
    user_id, issued = await signed_in(world)
    mails = await ask(world, user_id, issued)
    await ask(world, user_id, issued, next_wish)
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))


async def test_em_03_of_two_wishes_that_wait_only_the_last_gets_a_proof(world: World) -> None:
    user_id, issued = await signed_in(world)
    for new in ("first@example.net", "last@example.net"):
        await world.container.resolve(RequestEmailChange).execute(
            user_id=user_id, session_id=issued.session_id, new_email=new
        )
    proofs = [mail for mail in await world.work() if mail.kind is CONFIRM]
    assert [mail.recipient.canonical for mail in proofs] == ["last@example.net"]


async def test_em_02_a_mailbox_that_comes_to_be_proven_meanwhile_does_not_go_unheard(world: World) -> None:
    user = await world.register()
    proof = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    issued = await world.sign_in()
    mails = await ask(world, user.id, issued)
    await world.container.resolve(VerifyEmail).execute(proof=proof, caller=user.id)
    assert await confirm_is_refused(world, token_of(mails[CONFIRM]))


async def test_ones_own_address_is_no_wish(world: World) -> None:
    user_id, issued = await signed_in(world)
    assert await ask(world, user_id, issued, EMAIL.upper()) == {}


async def test_what_is_no_address_is_said_to_be_none(world: World) -> None:
    user_id, issued = await signed_in(world)
    with pytest.raises(InvalidFields) as refused:
        await ask(world, user_id, issued, "nobody")
    assert refused.value.violations[0].field == "new_email"
