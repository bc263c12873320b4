"""Enrolling, using and removing second factors."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.memory.rate_limiter import MemoryRateLimiter
from application.admin.clear_throttles import ClearThrottles
from application.mfa.list_factors import Factors, ListFactors
from application.mfa.make_recovery_codes import MakeRecoveryCodes
from application.mfa.remove_factor import RemoveFactor
from application.mfa.reset_factor import ResetFactor
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.reauthenticate import Reauthenticate
from application.upkeep.purge_expired import PurgeExpired
from domain.errors import ConcurrentUpdate, InvalidFields
from domain.ids import UserId
from domain.messages.message import MessageKind
from domain.mfa.factor import (
    EmailNotVerified,
    FactorAlreadyActive,
    FactorNotFound,
    FactorProofRequired,
    InvalidFactor,
    NoFactor,
    TooManyFactors,
)
from domain.mfa.recovery_code import CODES
from domain.mfa.totp_factor import TotpFactor
from domain.sessions.session import InvalidAccessToken, ReauthenticationRequired
from domain.throttling.throttle import Allowance, Throttle, Throttled
from domain.users.user import User
from tests.factors import (
    STEP,
    App,
    activate,
    answer,
    app_of,
    challenge,
    offered_app,
    principal_of,
    recovery,
    totp,
    verified_user,
)
from tests.world import PASSWORD, World, make_world, memory_adapters


async def factors_of(world: World, user_id: UserId) -> Factors:
    return await world.container.resolve(ListFactors).execute(user_id=user_id)


async def kept_factors(world: World, user: User) -> list[TotpFactor]:
    async with world.unit_of_work.read() as tx:
        return list(await tx.totp_factors.of_user(user.id))


async def is_fresh(world: World, tokens: IssuedTokens) -> bool:
    try:
        await world.container.resolve(ExpectFreshProof).execute(principal=await principal_of(world, tokens))
    except ReauthenticationRequired:
        return False
    return True


async def opens(world: World, tokens: IssuedTokens) -> bool:
    try:
        await principal_of(world, tokens)
    except InvalidAccessToken:
        return False
    return True


async def remove(world: World, user: User, tokens: IssuedTokens, app: App) -> None:
    await world.container.resolve(RemoveFactor).execute(
        user_id=user.id, session_id=tokens.session_id, factor_id=app.factor_id
    )


async def test_mf_02_an_app_is_a_factor_once_it_has_shown_a_right_code(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await offered_app(world, user, tokens, "  Telephone ")
    assert (await factors_of(world, user.id)).items == []
    with pytest.raises(InvalidFactor):
        await activate(world, user, tokens, app, app.wrong_code())
    await world.sign_in()
    await activate(world, user, tokens, app)
    (factor,) = (await factors_of(world, user.id)).items
    assert (factor.name, factor.last_used_at) == ("Telephone", world.clock.now())
    assert await world.events_of(user.id) == [
        *("recovery_codes.made", "session.reauthenticated", "factor.enrolled", "session.started", "factor.refused"),
        *("factor.enrolment_begun", "session.started", "user.email_verified", "user.registered"),
    ]


async def test_mf_02_only_whoever_has_proven_the_address_enrols(world: World) -> None:
    user = await world.register()
    with pytest.raises(EmailNotVerified):
        await offered_app(world, user, await world.sign_in())


async def test_the_code_that_activated_an_app_is_used_up_with_that(world: World) -> None:
    """MF-03"""
    app = await app_of(world, await verified_user(world))
    code = app.code()
    with pytest.raises(InvalidFactor):
        await answer(world, await challenge(world), totp(code))
    await answer(world, await challenge(world), totp(app.next_code()))


async def test_what_was_offered_before_is_good_for_nothing_once_there_is_another_offer(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    first = await offered_app(world, user, tokens)
    second = await offered_app(world, user, tokens)
    with pytest.raises(FactorNotFound):
        await activate(world, user, tokens, first)
    await activate(world, user, tokens, second)
    with pytest.raises(FactorAlreadyActive):
        await activate(world, user, tokens, second)


async def test_an_offer_is_good_for_an_hour(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await offered_app(world, user, tokens)
    world.clock.advance(timedelta(hours=1))
    with pytest.raises(FactorNotFound):
        await activate(world, user, tokens, app)
    world.clock.advance(timedelta(days=1))
    removed = await world.container.resolve(PurgeExpired).execute()
    assert removed["totp_factors"] == 1


async def test_nobody_activates_or_removes_what_is_anothers(world: World) -> None:
    """AD-02"""
    ada, bob = await verified_user(world), await verified_user(world, "bob@example.com")
    of_ada = await app_of(world, ada)
    pending = await offered_app(world, ada, await sign_in_with(world, of_ada))
    of_bob = await world.sign_in("bob@example.com")
    for app in (of_ada, pending):
        with pytest.raises(FactorNotFound):
            await activate(world, bob, of_bob, app)
        with pytest.raises(FactorNotFound):
            await remove(world, bob, of_bob, app)


async def sign_in_with(world: World, app: App) -> IssuedTokens:
    return await answer(world, await challenge(world), totp(app.next_code()))


async def test_there_is_an_end_to_how_many_anybody_has(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    for _ in range(10):
        await app_of(world, user, tokens)
    with pytest.raises(TooManyFactors):
        await offered_app(world, user, tokens)


async def test_mf_08_adding_and_removing_ends_every_other_session_and_is_told_by_mail(world: World) -> None:
    """ST-05"""
    user = await verified_user(world)
    await world.work()
    acting, other = await world.sign_in(), await world.sign_in()
    app = await app_of(world, user, acting)
    assert (await opens(world, acting), await opens(world, other)) == (True, False)
    assert [mail.kind for mail in await world.work()] == [MessageKind.FACTOR_ENROLLED]
    other = await sign_in_with(world, app)
    await remove(world, user, acting, app)
    assert (await opens(world, acting), await opens(world, other)) == (True, False)
    assert [mail.kind for mail in await world.work()] == [MessageKind.FACTOR_REMOVED]
    assert await factors_of(world, user.id) == Factors(items=[], recovery_codes_left=0)
    await world.sign_in()


async def test_recovery_codes_stay_while_there_is_a_factor_that_they_stand_in_for(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    first, second = await app_of(world, user, tokens), await app_of(world, user, tokens)
    assert (len(first.codes), second.codes) == (CODES, [])
    await remove(world, user, tokens, first)
    assert (await factors_of(world, user.id)).recovery_codes_left == CODES
    await answer(world, await challenge(world), recovery(first.codes[0]))


async def test_rc_08_new_recovery_codes_kill_the_old_ones_and_end_every_other_session(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    app = await app_of(world, user, acting)
    other = await sign_in_with(world, app)
    await world.work()
    make = world.container.resolve(MakeRecoveryCodes)
    codes = [code.text for code in await make.execute(user_id=user.id, session_id=acting.session_id)]
    assert len(set(codes) | set(app.codes)) == 2 * CODES
    assert (await opens(world, acting), await opens(world, other)) == (True, False)
    assert [mail.kind for mail in await world.work()] == [MessageKind.RECOVERY_CODES_MADE]
    with pytest.raises(InvalidFactor):
        await answer(world, await challenge(world), recovery(app.codes[0]))
    await answer(world, await challenge(world), recovery(codes[0]))


async def test_recovery_codes_are_for_whoever_has_a_factor(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    await offered_app(world, user, tokens)
    with pytest.raises(NoFactor):
        await world.container.resolve(MakeRecoveryCodes).execute(user_id=user.id, session_id=tokens.session_id)


async def test_a_session_that_ended_meanwhile_changes_no_factor(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await app_of(world, user, tokens)
    await world.suspend(user.id)
    with pytest.raises(ConcurrentUpdate):
        await remove(world, user, tokens, app)
    with pytest.raises(ConcurrentUpdate):
        await offered_app(world, user, tokens)
    with pytest.raises(ConcurrentUpdate):
        await world.container.resolve(MakeRecoveryCodes).execute(user_id=user.id, session_id=tokens.session_id)


async def test_mf_01_a_secret_has_160_bits_and_opens_in_no_row_but_its_own(world: World) -> None:
    ada, eve = await verified_user(world), await verified_user(world, "eve@example.com")
    of_ada = await app_of(world, ada)
    of_eve = await app_of(world, eve)
    assert (len(of_ada.secret), len(of_eve.secret)) == (20, 20)
    (row,), (other,) = await kept_factors(world, ada), await kept_factors(world, eve)
    # Whoever can write to the database puts their own secret into somebody else's row.
    row.sealed_secret = other.sealed_secret
    async with world.unit_of_work.begin() as tx:
        await tx.totp_factors.save(row)
    world.clock.advance(STEP)
    for app in (of_ada, of_eve):
        with pytest.raises(InvalidFactor):
            await answer(world, await challenge(world), totp(app.code()))
    await answer(world, await challenge(world, "eve@example.com"), totp(of_eve.code()))


async def test_mf_08_with_a_factor_the_password_alone_is_no_fresh_proof(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    assert await is_fresh(world, tokens)
    app = await app_of(world, user, tokens)
    assert await is_fresh(world, tokens)
    world.clock.advance(timedelta(minutes=10))
    tokens = await world.refresh(tokens.refresh_token)
    assert not await is_fresh(world, tokens)
    reauthenticate = world.container.resolve(Reauthenticate)
    comparisons = world.passwords.comparisons
    with pytest.raises(FactorProofRequired):
        await reauthenticate.execute(user_id=user.id, session_id=tokens.session_id, proof=PASSWORD)
    assert world.passwords.comparisons == comparisons
    with pytest.raises(InvalidFactor):
        await reauthenticate.execute(user_id=user.id, session_id=tokens.session_id, proof=totp(app.wrong_code()))
    assert not await is_fresh(world, tokens)
    for proof, methods in (
        (totp(app.code()), ["pwd", "otp", "mfa"]),
        (recovery(app.codes[0]), ["pwd", "recovery_code", "mfa"]),
    ):
        session = await reauthenticate.execute(user_id=user.id, session_id=tokens.session_id, proof=proof)
        assert list(session.methods) == methods
        assert await is_fresh(world, tokens)


async def test_mf_09_a_session_of_one_factor_is_not_fresh_once_the_user_has_one_by_another_way(world: World) -> None:
    """What is asked for is computed from what there is now, not from what there was when the session began."""
    user = await verified_user(world)
    tokens = await world.sign_in()
    assert await is_fresh(world, tokens)
    async with world.unit_of_work.begin() as tx:
        factor = TotpFactor(
            id=(await offered_app(world, user, tokens)).factor_id,
            user_id=user.id,
            name=None,
            sealed_secret="sealed elsewhere",
            created_at=world.clock.now(),
        )
        (row,) = await tx.totp_factors.of_user(user.id)
        factor.version = row.version
        factor.activate(step=1, at=world.clock.now())
        await tx.totp_factors.save(factor)
    assert not await is_fresh(world, tokens)


async def test_whoever_has_no_factor_proves_nothing_with_a_code(world: World) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    for proof in (totp("123456"), recovery("7F3K-Q2MX-9RTB-0ABC-1DEF")):
        with pytest.raises(InvalidFactor):
            await world.container.resolve(Reauthenticate).execute(
                user_id=user.id, session_id=tokens.session_id, proof=proof
            )


async def test_an_operator_takes_a_factor_away_and_the_user_is_told(world: World) -> None:
    """RC-07: whoever lost app and codes proves the mailbox no less than that, to somebody who can tell."""
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await app_of(world, user, tokens)
    await world.work()
    reset = world.container.resolve(ResetFactor)
    for reason in ("", " ", "x" * 501):
        with pytest.raises(InvalidFields):
            await reset.execute(user_id=user.id, factor_id=app.factor_id, reason=reason)
    await reset.execute(user_id=user.id, factor_id=app.factor_id, reason="Lost the telephone")
    assert not await opens(world, tokens)
    assert await factors_of(world, user.id) == Factors(items=[], recovery_codes_left=0)
    assert [mail.kind for mail in await world.work()] == [MessageKind.FACTOR_RESET]
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(user.id) if entry.event == "factor.removed"]
    assert (entry.details["by_operator"], entry.details["explanation"]) == (True, "Lost the telephone")
    with pytest.raises(FactorNotFound):
        await reset.execute(user_id=user.id, factor_id=app.factor_id, reason="Lost the telephone")
    await world.sign_in()


async def test_an_operator_does_not_see_what_waits_for_its_first_code(world: World) -> None:
    user = await verified_user(world)
    app = await offered_app(world, user, await world.sign_in())
    with pytest.raises(FactorNotFound):
        await world.container.resolve(ResetFactor).execute(user_id=user.id, factor_id=app.factor_id, reason="why")


async def test_mf_05_guesses_at_activating_count_with_all_others_and_an_operator_clears_them(world: World) -> None:
    user = await verified_user(world)
    tokens = await world.sign_in()
    app = await offered_app(world, user, tokens)
    for _ in range(10):
        with pytest.raises(InvalidFactor):
            await activate(world, user, tokens, app, app.wrong_code())
    with pytest.raises(Throttled):
        await activate(world, user, tokens, app)
    assert "factor.guesses_used_up" in await world.events_of(user.id)
    await world.container.resolve(ClearThrottles).execute(user_id=user.id)
    await activate(world, user, tokens, app)


class WithAnErrand(MemoryRateLimiter):
    """Runs an errand while a guess is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.errand: Callable[[], Awaitable[None]] | None = None

    async def use(self, *throttles: Throttle, at: datetime) -> Sequence[Allowance]:
        errand, self.errand = self.errand, None
        if errand is not None:
            await errand()
        return await super().use(*throttles, at=at)


async def test_whoever_loses_their_recovery_codes_while_activating_is_not_left_without_any() -> None:
    limiter = WithAnErrand()
    world = make_world(replace(memory_adapters(), rate_limiter=limiter))
    user = await verified_user(world)
    tokens = await world.sign_in()
    first = await app_of(world, user, tokens)
    second = await offered_app(world, user, tokens)
    limiter.errand = lambda: remove(world, user, tokens, first)
    with pytest.raises(ConcurrentUpdate):
        await activate(world, user, tokens, second)
    await activate(world, user, tokens, second)
    assert len(second.codes) == CODES
