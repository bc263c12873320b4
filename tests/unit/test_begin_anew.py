"""Going on after a backup was restored."""

from datetime import timedelta

import pytest

from application.mfa.ask_for_factor import FactorRequired
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.upkeep.begin_anew import BeginAnew
from domain.errors import DomainError
from domain.messages.message import MessageKind
from domain.mfa.factor import FactorKind, InvalidFactor
from domain.recovery.one_time_token import InvalidToken
from domain.sessions.session import InvalidAccessToken, InvalidRefreshToken
from tests.factors import answer, app_of, challenge, principal_of, recovery, totp, verified_user
from tests.passkeys import ask, passkey_of, sign_in_by
from tests.world import EMAIL, PASSWORD, World, token_of


async def test_fault_47_whatever_is_good_once_is_good_no_more(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    key = await passkey_of(world, user, tokens)
    app = await app_of(world, user, tokens)
    waiting, asked = await challenge(world), await key.to_sign_in()
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    mailed = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    world.clock.advance(timedelta(minutes=1))
    code = app.code(1)

    gone = await world.container.resolve(BeginAnew).execute()
    # A session and its refresh token.
    assert (gone["sessions"], gone["recovery_codes"], gone["totp_steps"]) == (2, 10, 1)
    assert (await world.events_of(None))[0] == "backup.restored"

    reset = world.container.resolve(ResetPassword)
    refused: list[tuple[object, type[DomainError]]] = [
        (principal_of(world, tokens), InvalidAccessToken),
        (world.refresh(tokens.refresh_token), InvalidRefreshToken),
        (answer(world, waiting, totp(app.code(2))), InvalidFactor),
        (answer(world, await challenge(world), recovery(key.codes[0])), InvalidFactor),
        (answer(world, await challenge(world), totp(code)), InvalidFactor),
        (sign_in_by(world, asked), DomainError),
        (reset.execute(token=mailed, new_password=f"{PASSWORD}, and at noon"), InvalidToken),
    ]
    for tried, refusal in refused:
        with pytest.raises(refusal):
            await tried  # type: ignore[misc]
    assert await world.work() == []


async def test_what_is_no_use_of_before_works_as_it_did(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    app = await app_of(world, user, await sign_in_by(world, await key.to_sign_in()))
    await world.container.resolve(BeginAnew).execute()
    assert (await sign_in_by(world, await key.to_sign_in())).user.id == user.id
    begun = await world.begin_sign_in()
    assert isinstance(begun, FactorRequired)
    assert begun.kinds == (FactorKind.TOTP, FactorKind.PASSKEY)
    world.clock.advance(timedelta(minutes=2))
    assert (await answer(world, begun.challenge_id, totp(app.code()))).user.id == user.id
    # Asked for since then.
    assert (await ask(world).to_sign_in()).expires_in == timedelta(minutes=5)
