"""Signing in with a second factor."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.memory.secret_sealer import MemorySecretSealer
from application.admin.explain_sign_in import ExplainSignIn
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.factor_proof import FactorProof
from application.mfa.remove_factor import RemoveFactor
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.sessions.sign_in import SignIn
from application.upkeep.purge_expired import PurgeExpired
from application.users.change_password import ChangePassword
from domain.errors import DomainError
from domain.messages.message import MessageKind
from domain.mfa.factor import FactorKind, InvalidFactor
from domain.sessions.session import Device, InvalidCredentials
from domain.sessions.sign_in_attempt import Check, Outcome, SignInAttempt
from domain.throttling.throttle import Throttled
from tests.factors import App, answer, app_of, challenge, principal_of, recovery, totp, verified_user
from tests.world import EMAIL, PASSWORD, World, make_world, memory_adapters, token_of

NEW = "a louder harbour at noon"


async def why(world: World, refusal: DomainError) -> SignInAttempt:
    return await world.container.resolve(ExplainSignIn).execute(reference=refusal.reference or "")


async def refused(world: World, proof: FactorProof) -> list[type[DomainError]]:
    with pytest.raises(DomainError) as refusal:
        await answer(world, await challenge(world), proof)
    return [type(refusal.value)]


async def test_the_password_alone_opens_nothing_for_whoever_has_a_factor(world: World) -> None:
    """MF-06"""
    user = await verified_user(world)
    app = await app_of(world, user)
    world.clock.advance(timedelta(minutes=1))
    before = await world.events_of(user.id)
    asked = await world.begin_sign_in()
    assert isinstance(asked, FactorRequired)
    assert (asked.kinds, asked.expires_in) == ((FactorKind.TOTP, FactorKind.RECOVERY_CODE), timedelta(minutes=10))
    assert await world.events_of(user.id) == ["sign_in.challenged", *before]
    tokens = await answer(world, asked.challenge_id, totp(app.code()))
    principal = await principal_of(world, tokens)
    assert (principal.user_id, list(principal.session.methods)) == (user.id, ["pwd", "otp", "mfa"])
    assert principal.session.device == Device(user_agent="tests", network_address="192.0.2.7", name="tests")
    assert (await world.events_of(user.id))[:2] == ["session.started", "factor.used"]


async def test_a_recovery_code_stands_in_for_the_app_once_and_the_user_is_told(world: World) -> None:
    user = await verified_user(world)
    app = await app_of(world, user)
    await world.work()
    principal = await principal_of(world, await answer(world, await challenge(world), recovery(app.codes[3].lower())))
    assert list(principal.session.methods) == ["pwd", "recovery_code", "mfa"]
    (mail,) = await world.work()
    assert (mail.kind, mail.content["left"]) == (MessageKind.RECOVERY_CODE_USED, "9")
    assert await refused(world, recovery(app.codes[3])) == [InvalidFactor]


async def test_recovery_codes_are_not_named_once_all_are_used(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    for code in app.codes:
        await answer(world, await challenge(world), recovery(code))
    asked = await world.begin_sign_in()
    assert isinstance(asked, FactorRequired)
    assert asked.kinds == (FactorKind.TOTP,)


async def test_a_wrong_password_tells_nothing_of_factors(world: World) -> None:
    """LG-01"""
    await app_of(world, await verified_user(world))
    await world.register("bob@example.com")
    hashed = world.passwords.comparisons
    for email in (EMAIL, "bob@example.com", "nobody@example.com"):
        with pytest.raises(InvalidCredentials):
            await world.begin_sign_in(email, "a wrong guess of mine")
    assert world.passwords.comparisons == hashed + 3


async def test_a_right_password_costs_no_guess_though_a_factor_is_missing(world: World) -> None:
    await app_of(world, await verified_user(world))
    for _ in range(20):
        assert isinstance(await world.begin_sign_in(), FactorRequired)


async def test_mf_06_a_challenge_is_finished_once(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    asked = await challenge(world)
    await answer(world, asked, recovery(app.codes[0]))
    with pytest.raises(InvalidFactor):
        await answer(world, asked, recovery(app.codes[1]))
    # What was not looked at is as good as before.
    await answer(world, await challenge(world), recovery(app.codes[1]))


async def test_a_wrong_code_leaves_the_challenge_good(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    asked = await challenge(world)
    for proof in (totp(app.wrong_code()), totp(""), totp(app.codes[0]), recovery(app.code()), recovery("")):
        with pytest.raises(InvalidFactor):
            await answer(world, asked, proof)
    await answer(world, asked, totp(app.next_code()))


async def test_mf_06_a_challenge_is_over_after_ten_minutes_and_forgotten_a_day_later(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    first, second = await challenge(world), await challenge(world)
    world.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    await answer(world, first, totp(app.code()))
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidFactor):
        await answer(world, second, recovery(app.codes[0]))
    world.clock.advance(timedelta(days=1, seconds=1))
    assert (await world.container.resolve(PurgeExpired).execute())["sign_in_challenges"] == 2


async def test_mf_06_a_challenge_is_over_once_the_password_changes_the_user_is_suspended_or_a_factor_goes(
    world: World,
) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await app_of(world, user, tokens)
    second = await app_of(world, user, tokens)
    change, remove = world.container.resolve(ChangePassword), world.container.resolve(RemoveFactor)
    ids = {"user_id": user.id, "session_id": tokens.session_id}
    asked = await challenge(world)
    await change.execute(**ids, current=PASSWORD, new=NEW)  # type: ignore[arg-type]
    with pytest.raises(InvalidFactor):
        await answer(world, asked, recovery(app.codes[0]))
    asked_again = await world.begin_sign_in(password=NEW)
    assert isinstance(asked_again, FactorRequired)
    await remove.execute(**ids, factor_id=second.factor_id)  # type: ignore[arg-type]
    with pytest.raises(InvalidFactor):
        await answer(world, asked_again.challenge_id, recovery(app.codes[0]))
    last = await world.begin_sign_in(password=NEW)
    assert isinstance(last, FactorRequired)
    await world.suspend(user.id)
    with pytest.raises(InvalidFactor):
        await answer(world, last.challenge_id, recovery(app.codes[0]))


async def test_mf_06_a_challenge_of_one_user_is_not_finished_by_a_factor_of_another(world: World) -> None:
    """Whose it is stands in the challenge: the user cannot be swapped between the steps."""
    of_ada = await app_of(world, await verified_user(world))
    of_eve = await app_of(world, await verified_user(world, "eve@example.com"))
    asked = await challenge(world)
    for proof in (totp(of_eve.next_code()), recovery(of_eve.codes[0])):
        with pytest.raises(InvalidFactor):
            await answer(world, asked, proof)
    principal = await principal_of(world, await answer(world, asked, totp(of_ada.code())))
    assert principal.user.email.canonical == EMAIL


async def test_a_challenge_that_nobody_posed_leads_nowhere_and_is_not_written_down(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    with pytest.raises(InvalidFactor) as refusal:
        await answer(world, uuid4(), totp(app.next_code()))
    assert refusal.value.reference is None


async def test_mf_03_a_code_of_an_app_is_good_once_in_whichever_sign_in(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    world.clock.advance(timedelta(minutes=1))
    tries = [answer(world, await challenge(world), totp(app.code())) for _ in range(8)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, InvalidFactor) for one in found) == 1
    # Nor an older one, once a newer one was used.
    assert await refused(world, totp(app.code(-1))) == [InvalidFactor]


@pytest.mark.parametrize("offset", range(-61, 62, 1))
async def test_mf_04_the_servers_clock_decides(world: World, offset: int) -> None:
    """From a minute before the app shows the code until a minute after that, by an app whose clock is elsewhere."""
    app = await app_of(world, await verified_user(world))
    world.clock.advance(timedelta(minutes=5) - timedelta(seconds=world.clock.now().timestamp() % 30))
    code = app.code()
    world.clock.advance(timedelta(seconds=offset))
    proof, asked = totp(code), await challenge(world)
    if -30 <= offset < 60:
        await answer(world, asked, proof)
    else:
        with pytest.raises(InvalidFactor):
            await answer(world, asked, proof)


class CountingSealer(MemorySecretSealer):
    """Counts how often a secret was looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0

    def open(self, sealed: str, *, purpose: str, owner: str) -> str | None:
        self.opened += purpose == "totp secret"
        return super().open(sealed, purpose=purpose, owner=owner)


async def test_mf_05_guesses_have_one_budget_for_each_user_however_many_sign_ins_are_begun() -> None:
    """Spent before anything is looked at, and not refilled by beginning anew (incident 41)."""
    sealer = CountingSealer()
    world = make_world(replace(memory_adapters(), secret_sealer=sealer))
    user = await verified_user(world)
    app = await app_of(world, user)
    await world.work()
    challenges = [await challenge(world) for _ in range(30)]
    before = sealer.opened + world.passwords.comparisons
    wrong = [totp(app.wrong_code()), recovery(f"{app.codes[0][:-4]}0000")]
    tries = [answer(world, asked, wrong[number % 2]) for number in range(10) for asked in challenges]
    found = [type(one) for one in await asyncio.gather(*tries, return_exceptions=True)]
    assert sealer.opened + world.passwords.comparisons - before == found.count(InvalidFactor) == 10
    assert found.count(Throttled) == 290
    assert await refused(world, totp(app.next_code())) == [Throttled]
    assert [mail.kind for mail in await world.work()] == [MessageKind.FACTOR_GUESSES_USED_UP]


async def test_mf_05_a_right_code_takes_back_its_own_guess_and_no_other(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    for _ in range(9):
        assert await refused(world, totp(app.wrong_code())) == [InvalidFactor]
    for code in app.codes[:3]:
        await answer(world, await challenge(world), recovery(code))
    assert await refused(world, totp(app.wrong_code())) == [InvalidFactor]
    assert await refused(world, recovery(app.codes[4])) == [Throttled]


async def test_the_budget_of_one_user_is_not_that_of_another(world: World) -> None:
    app = await app_of(world, await verified_user(world))
    of_eve = await app_of(world, await verified_user(world, "eve@example.com"))
    for _ in range(10):
        await refused(world, totp(app.wrong_code()))
    await answer(world, await challenge(world, "eve@example.com"), totp(of_eve.next_code()))


async def test_operators_find_out_why_a_second_factor_was_refused(world: World) -> None:
    user = await verified_user(world)
    app = await app_of(world, user)
    with pytest.raises(InvalidFactor) as refusal:
        await answer(world, await challenge(world), totp(app.wrong_code()))
    attempt = await why(world, refusal.value)
    assert (attempt.user_id, attempt.shared) == (user.id, False)
    assert {step.check: step.outcome for step in attempt.steps} == {
        Check.NETWORK_LIMIT: Outcome.LEFT,
        Check.ADDRESS: Outcome.KNOWN,
        Check.DEVICE: Outcome.NOT_KNOWN,
        Check.GUESSES: Outcome.LEFT,
        Check.PASSWORD: Outcome.RIGHT,
        Check.PASSKEY: Outcome.NOT_REACHED,
        Check.SUSPENSION: Outcome.NONE,
        Check.DELETION: Outcome.NOT_DUE,
        Check.MAILBOX: Outcome.PROVEN,
        Check.SECOND_FACTOR: Outcome.WRONG,
        Check.VERDICT: Outcome.REFUSED,
    }
    for _ in range(9):
        await refused(world, totp(app.wrong_code()))
    with pytest.raises(Throttled) as waiting:
        await answer(world, await challenge(world), totp(app.code()))
    steps = {step.check: step.outcome for step in (await why(world, waiting.value)).steps}
    assert steps[Check.SECOND_FACTOR] is Outcome.USED_UP


async def test_rc_03_a_reset_by_mail_leaves_the_factor_and_opens_no_session(world: World) -> None:
    """RC-07"""
    user = await verified_user(world)
    app = await app_of(world, user)
    await world.work()
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    token = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    await world.container.resolve(ResetPassword).execute(token=token, new_password=NEW)
    assert "session.started" not in (await world.events_of(user.id))[:2]
    asked = await world.begin_sign_in(password=NEW)
    assert isinstance(asked, FactorRequired)
    await answer(world, asked.challenge_id, totp(app.next_code()))


async def test_a_known_device_stays_known_through_the_second_step(world: World) -> None:
    """LG-06"""
    app = await app_of(world, await verified_user(world))
    device = Device(user_agent="tests", network_address="192.0.2.7")
    sign_in = world.container.resolve(SignIn)
    first = await answer(world, await challenge(world), totp(app.next_code()))
    asked = await sign_in.execute(email=EMAIL, password=PASSWORD, device=device, device_token=first.device_token)
    assert isinstance(asked, FactorRequired)
    second = await answer(world, asked.challenge_id, totp(app.next_code()))
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await world.begin_sign_in(password="a wrong guess of mine")
    with pytest.raises(Throttled):
        await world.begin_sign_in()
    for token in (first.device_token, second.device_token):
        again = await sign_in.execute(email=EMAIL, password=PASSWORD, device=device, device_token=token)
        assert isinstance(again, FactorRequired)


async def test_an_erased_user_finishes_no_sign_in(world: World) -> None:
    user = await verified_user(world)
    app: App = await app_of(world, user)
    asked = await challenge(world)
    async with world.unit_of_work.begin() as tx:
        await tx.users.remove(user.id)
    with pytest.raises(InvalidFactor):
        await answer(world, asked, recovery(app.codes[0]))
