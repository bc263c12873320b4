"""Proving an address: by link or code, once, and never for whoever registered somebody else's (LG-09)."""

from datetime import timedelta

import pytest

from application.ports.mailer import Mail
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.verify_email import MailedCode, VerifyEmail
from application.sessions.authenticate import Authenticate
from domain.ids import UserId
from domain.messages.message import MessageKind
from domain.recovery.one_time_token import InvalidToken
from domain.sessions.session import InvalidAccessToken, InvalidCredentials, InvalidRefreshToken
from domain.users.password import WrongPassword
from domain.users.user import User
from tests.world import EMAIL, PASSWORD, World, token_of

KIND = MessageKind.VERIFY_EMAIL


async def ask_again(world: World, email: str = EMAIL) -> list[Mail]:
    await world.container.resolve(RequestEmailVerification).execute(email=email)
    return await world.work()


async def verify(
    world: World, proof: str | MailedCode, *, caller: UserId | None = None, password: str | None = None
) -> User:
    return await world.container.resolve(VerifyEmail).execute(proof=proof, caller=caller, password=password)


async def registered(world: World) -> tuple[User, Mail]:
    return await world.register(), await world.mailed(KIND)


async def refusal(world: World, proof: str | MailedCode) -> str:
    with pytest.raises(InvalidToken) as refused:
        await verify(world, proof)
    return refused.value.violations[0].field


async def test_a_new_user_gets_link_and_code_in_a_mail(world: World) -> None:
    _, mail = await registered(world)
    assert mail.recipient.canonical == EMAIL
    assert mail.content["link"].startswith("https://accounts.example.com/links/verify-email#hp_ev_")
    assert len(mail.content["code"]) == 8
    assert (mail.content["link_hours"], mail.content["code_minutes"]) == ("24", "10")


async def test_the_link_proves_the_address_once(world: World) -> None:
    user, mail = await registered(world)
    verified = await verify(world, token_of(mail), caller=user.id)
    assert verified.email_verified
    assert (await world.user()).email_verified_at == world.clock.now()
    assert await refusal(world, token_of(mail)) == "token"


async def test_the_code_does_the_same_and_uses_up_the_link(world: World) -> None:
    user, mail = await registered(world)
    proof = MailedCode(email=EMAIL.upper(), code=mail.content["code"])
    assert (await verify(world, proof, caller=user.id)).email_verified
    assert await refusal(world, proof) == "code"
    assert await refusal(world, token_of(mail)) == "token"


async def test_the_users_own_session_keeps_password_and_sessions(world: World) -> None:
    user, mail = await registered(world)
    issued = await world.sign_in()
    await verify(world, token_of(mail), caller=user.id)
    assert (await world.container.resolve(Authenticate).execute(access_token=issued.access_token)).user_id == user.id
    await world.refresh(issued.refresh_token)
    await world.sign_in()


async def test_so_does_the_password_itself(world: World) -> None:
    _, mail = await registered(world)
    issued = await world.sign_in()
    await verify(world, token_of(mail), password=PASSWORD)
    await world.refresh(issued.refresh_token)
    await world.sign_in()


async def test_a_wrong_password_leaves_link_and_user_as_they_were(world: World) -> None:
    user, mail = await registered(world)
    with pytest.raises(WrongPassword):
        await verify(world, token_of(mail), password="another password of mine")
    assert not (await world.user()).email_verified
    assert (await verify(world, token_of(mail), caller=user.id)).email_verified


async def test_lg_09_incident_39_a_stranger_who_registered_the_address_is_locked_out_by_its_owner(world: World) -> None:
    _, mail = await registered(world)
    strangers = await world.sign_in()
    await verify(world, token_of(mail))
    with pytest.raises(InvalidCredentials):
        await world.sign_in()
    with pytest.raises(InvalidAccessToken):
        await world.container.resolve(Authenticate).execute(access_token=strangers.access_token)
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(strangers.refresh_token)
    user = await world.user()
    assert (user.email_verified, user.password_hash) == (True, None)


async def test_lg_09_another_users_session_does_not_count_as_the_owners(world: World) -> None:
    other = await world.register("bob@example.com")
    await world.work()
    _, mail = await registered(world)
    await verify(world, token_of(mail), caller=other.id)
    assert (await world.user()).password_hash is None


async def test_whoever_lost_the_password_that_way_gets_a_link_for_choosing_one(world: World) -> None:
    _, mail = await registered(world)
    await verify(world, token_of(mail))
    choose = await world.mailed(MessageKind.CHOOSE_PASSWORD)
    assert "/reset-password#hp_pr_" in choose.content["link"]


async def test_nobody_gets_such_a_link_who_kept_the_password(world: World) -> None:
    user, mail = await registered(world)
    await verify(world, token_of(mail), caller=user.id)
    assert await world.work() == []


async def test_a_second_proof_discards_nothing(world: World) -> None:
    user, first = await registered(world)
    await verify(world, token_of(first), caller=user.id)
    assert await ask_again(world) == []
    assert (await world.user()).password_hash is not None


async def test_a_newer_mail_kills_the_older_one(world: World) -> None:
    user, first = await registered(world)
    (second,) = await ask_again(world)
    assert await refusal(world, token_of(first)) == "token"
    assert (await verify(world, token_of(second), caller=user.id)).email_verified


@pytest.mark.parametrize("text", ["", "hp_ev_x", "hp_rt_" + "A" * 43 + "_00000000", "\ud800", "é" * 60])
async def test_what_is_no_token_of_this_kind_is_refused_like_an_unknown_one(world: World, text: str) -> None:
    assert await refusal(world, text) == "token"


async def test_incident_15_the_link_ends_after_a_day_and_the_code_after_ten_minutes_by_themselves(world: World) -> None:
    user, mail = await registered(world)
    world.clock.advance(timedelta(minutes=10))
    assert await refusal(world, MailedCode(email=EMAIL, code=mail.content["code"])) == "code"
    world.clock.advance(timedelta(hours=23, minutes=50) - timedelta(microseconds=1))
    assert (await verify(world, token_of(mail), caller=user.id)).email_verified
    (again,) = [await world.register("bob@example.com")]
    late = await world.mailed(KIND)
    world.clock.advance(timedelta(hours=24))
    assert await refusal(world, token_of(late)) == "token"
    assert not again.email_verified


async def test_the_code_may_be_tried_five_times(world: World) -> None:
    _, mail = await registered(world)
    wrong = MailedCode(email=EMAIL, code="00000000" if mail.content["code"] != "00000000" else "11111111")
    for _ in range(5):
        assert await refusal(world, wrong) == "code"
    assert await refusal(world, MailedCode(email=EMAIL, code=mail.content["code"])) == "code"


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", EMAIL])
async def test_lg_03_every_address_costs_the_same_comparison(world: World, email: str) -> None:
    await registered(world)
    before = world.passwords.comparisons
    await refusal(world, MailedCode(email=email, code="x"))
    assert world.passwords.comparisons == before + 1


async def test_rc_04_suspension_and_password_change_kill_the_link(world: World) -> None:
    user, mail = await registered(world)
    await world.suspend(user.id)
    assert await refusal(world, token_of(mail)) == "token"
    assert await ask_again(world) == []


async def test_asking_for_an_unknown_address_mails_nobody(world: World) -> None:
    assert await ask_again(world, "nobody@example.com") == []


async def test_rc_09_one_user_gets_five_such_mails_an_hour_at_most(world: World) -> None:
    await registered(world)
    mails = [mail for _ in range(10) for mail in await ask_again(world)]
    assert len(mails) == 4
    world.clock.advance(timedelta(hours=1))
    assert len(await ask_again(world)) == 1
