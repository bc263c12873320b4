"""Getting back in by mail: a token for one user, once, and no session with it (RC-01, RC-03 to RC-05)."""

from datetime import timedelta

import pytest

from application.ports.mailer import Mail
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.recovery.verify_email import VerifyEmail
from application.users.change_password import ChangePassword
from domain.errors import InvalidFields
from domain.messages.message import MessageKind
from domain.recovery.one_time_token import InvalidToken
from domain.sessions.session import InvalidCredentials, InvalidRefreshToken
from domain.users.password_policy import PasswordRejected
from tests.world import EMAIL, PASSWORD, World, token_of

NEW = "a louder harbour at noon"


async def ask(world: World, email: str = EMAIL) -> list[Mail]:
    await world.work()
    await world.container.resolve(RequestPasswordReset).execute(email=email, network_address="192.0.2.7")
    return await world.work()


async def reset(world: World, token: str, password: str = NEW) -> None:
    await world.container.resolve(ResetPassword).execute(token=token, new_password=password)


async def is_refused(world: World, token: str) -> bool:
    try:
        await reset(world, token, "another harbour at night")
    except InvalidToken:
        return True
    return False


async def test_the_link_replaces_the_password_once(world: World) -> None:
    await world.register()
    (mail,) = await ask(world)
    assert mail.kind is MessageKind.RESET_PASSWORD
    assert mail.content["link"].startswith("https://accounts.example.com/links/reset-password#hp_pr_")
    await reset(world, token_of(mail))
    assert await is_refused(world, token_of(mail))
    await world.sign_in(password=NEW)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(password=PASSWORD)


async def test_rc_03_every_session_ends_and_none_begins(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    (mail,) = await ask(world)
    await reset(world, token_of(mail))
    with pytest.raises(InvalidRefreshToken):
        await world.refresh(issued.refresh_token)
    assert (await world.events_of(user.id)).count("session.started") == 1


async def test_it_proves_the_address_and_tells_the_user(world: World) -> None:
    await world.register()
    (mail,) = await ask(world)
    await reset(world, token_of(mail))
    assert (await world.user()).email_verified
    notice = await world.mailed(MessageKind.PASSWORD_CHANGED)
    assert notice.content == {"at": "2026-01-01 12:00 UTC"}


async def test_a_refused_password_leaves_the_link_good(world: World) -> None:
    await world.register()
    (mail,) = await ask(world)
    with pytest.raises(PasswordRejected) as refused:
        await reset(world, token_of(mail), "short")
    assert refused.value.violations[0].field == "new_password"
    await reset(world, token_of(mail))


async def test_rc_01_the_link_ends_after_half_an_hour(world: World) -> None:
    await world.register()
    (mail,) = await ask(world)
    world.clock.advance(timedelta(minutes=30))
    assert await is_refused(world, token_of(mail))


async def test_rc_04_a_newer_request_kills_the_older_link(world: World) -> None:
    await world.register()
    (first,), (second,) = await ask(world), await ask(world)
    assert await is_refused(world, token_of(first))
    await reset(world, token_of(second))


async def test_rc_04_changing_the_password_kills_the_link(world: World) -> None:
    user = await world.register()
    issued = await world.sign_in()
    (mail,) = await ask(world)
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=issued.session_id, current=PASSWORD, new=NEW
    )
    assert await is_refused(world, token_of(mail))


async def test_rc_04_suspension_kills_the_link_and_forbids_new_ones(world: World) -> None:
    user = await world.register()
    (mail,) = await ask(world)
    await world.suspend(user.id)
    assert await is_refused(world, token_of(mail))
    assert await ask(world) == []


async def test_incident_20_a_token_is_good_for_its_own_purpose_alone(world: World) -> None:
    await world.register()
    verification = await world.mailed(MessageKind.VERIFY_EMAIL)
    (mail,) = await ask(world)
    assert await is_refused(world, token_of(verification))
    with pytest.raises(InvalidToken):
        await world.container.resolve(VerifyEmail).execute(proof=token_of(mail))
    # Nor does it help to write the other kind into it: what is kept knows its purpose.
    assert await is_refused(world, token_of(verification).replace("hp_ev_", "hp_pr_"))


async def test_incident_20_a_token_is_good_for_its_own_user_alone(world: World) -> None:
    await world.register()
    await world.register("bob@example.com")
    (mail,) = await ask(world)
    await reset(world, token_of(mail))
    await world.sign_in("bob@example.com", PASSWORD)


@pytest.mark.parametrize("email", ["ADA@example.com", " ada@EXAMPLE.com "])
async def test_rc_05_incident_60_mail_goes_to_the_stored_address_only(world: World, email: str) -> None:
    await world.register("Ada@example.com")
    for mail in await ask(world, email.strip()):
        assert mail.recipient.display == "Ada@example.com"


@pytest.mark.parametrize("email", ["nobody@example.com", "a\u0501a@example.com", "ad\u0430@example.com"])
async def test_rc_05_look_alikes_and_unknown_addresses_get_no_mail(world: World, email: str) -> None:
    """Incident 60."""
    await world.register()
    await world.work()
    try:
        await world.container.resolve(RequestPasswordReset).execute(email=email)
    except InvalidFields:
        return
    assert await world.work() == []


async def test_lg_03_known_and_unknown_addresses_cost_the_same_here(world: World) -> None:
    await world.register()
    await world.suspend((await world.register("eve@example.com")).id)
    before = world.passwords.comparisons
    for email in (EMAIL, "eve@example.com", "nobody@example.com"):
        await world.container.resolve(RequestPasswordReset).execute(email=email)
    assert world.passwords.comparisons == before


async def test_rc_09_one_user_gets_five_such_mails_an_hour_at_most(world: World) -> None:
    await world.register()
    mails = [mail for _ in range(12) for mail in await ask(world)]
    assert len(mails) == 5
    await reset(world, token_of(mails[-1]))
