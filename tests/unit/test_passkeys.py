"""Passkeys: registering them, signing in with one alone, as second factor, and as new proof."""

from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.memory.passkeys import MemoryAuthenticator
from application.admin.explain_sign_in import ExplainSignIn
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.factor_proof import PasskeyAnswer
from application.mfa.list_factors import ListFactors
from application.mfa.remove_factor import RemoveFactor
from application.mfa.rename_passkey import RenamePasskey
from application.mfa.reset_factor import ResetFactor
from application.ports.password_hasher import HashingBusy
from application.sessions.reauthenticate import Reauthenticate
from application.upkeep.purge_expired import PurgeExpired
from application.users.create_user import CreateUser
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from domain.errors import InvalidFields
from domain.events import Outcome as EventOutcome
from domain.ids import CeremonyId, ChallengeId, FactorId
from domain.messages.message import MessageKind
from domain.mfa.factor import (
    EmailNotVerified,
    FactorKind,
    FactorNotFound,
    FactorProofRequired,
    InvalidFactor,
    TooManyFactors,
)
from domain.mfa.passkey import InvalidPasskey, LastWayIn, NoPasskey, PasskeyAlreadyRegistered
from domain.sessions.authentication_method import AuthenticationMethod, with_factor
from domain.sessions.session import InvalidAccessToken, RefusalReason
from domain.sessions.sign_in_attempt import Check, Outcome
from domain.throttling.throttle import Throttle, Throttled
from domain.users.password import PasswordHash
from domain.users.user import User
from entrypoints.settings import Registration
from tests.factors import Acting, answer, app_of, challenge, principal_of, recovery, totp, verified_user
from tests.passkeys import Key, ask, offered, options_of, passkey_of, register, sign_in_by
from tests.world import EMAIL, PASSWORD, PLENTY, SETTINGS, World, make_world, token_of

BOB = "bob@example.com"


async def remove(world: World, user: User, acting: Acting, factor_id: FactorId) -> None:
    await world.container.resolve(RemoveFactor).execute(
        user_id=user.id, session_id=acting.session_id, factor_id=factor_id
    )


async def discard_password(world: World, user: User) -> None:
    async with world.unit_of_work.begin() as tx:
        found = await tx.users.get(user.id)
        found.discard_password(at=world.clock.now())
        await tx.users.save(found)


async def why(world: World, refusal: InvalidPasskey) -> dict[Check, Outcome]:
    attempt = await world.container.resolve(ExplainSignIn).execute(reference=refusal.reference or "")
    return {step.check: step.outcome for step in attempt.steps if step.outcome is not Outcome.NOT_REACHED}


async def refused(world: World, shown: PasskeyAnswer) -> InvalidPasskey:
    with pytest.raises(InvalidPasskey) as refusal:
        await sign_in_by(world, shown)
    return refusal.value


async def test_a_passkey_counts_once_it_is_registered_and_comes_with_recovery_codes(world: World) -> None:
    user = await verified_user(world)
    acting, other = await world.sign_in(), await world.sign_in()
    key = Key(world, MemoryAuthenticator())
    asked = await offered(world, user, acting)
    assert (len(key.world.mailer.sent), asked.expires_in) == (0, timedelta(minutes=5))
    registered = await register(world, user, acting, key.created(asked), "  Telephone ")
    assert (registered.passkey.name, len(registered.codes)) == ("Telephone", 10)
    assert registered.passkey.signs_in_alone
    found = await world.container.resolve(ListFactors).execute(user_id=user.id)
    assert [(factor.id, factor.kind) for factor in found.items] == [(registered.passkey.id, FactorKind.PASSKEY)]
    assert found.recovery_codes_left == 10
    principal = await principal_of(world, acting)
    assert principal.has_factors
    assert list(principal.session.methods) == ["pwd", "pop", "mfa"]
    with pytest.raises(InvalidAccessToken):
        await principal_of(world, other)
    assert MessageKind.PASSKEY_ADDED in [mail.kind for mail in await world.work()]
    assert (await world.events_of(user.id))[:3] == [
        *("recovery_codes.made", "session.reauthenticated", "factor.enrolled"),
    ]


async def test_what_authenticators_know_their_owner_by_is_chance_and_the_same_for_all_passkeys(world: World) -> None:
    """PK-08"""
    user = await verified_user(world)
    acting = await world.sign_in()
    first = options_of(await offered(world, user, acting))["user"]
    assert (first["name"], first["displayName"]) == (EMAIL, EMAIL)
    key = await passkey_of(world, user, acting)
    assert key.registered is not None
    handle = key.registered.passkey.user_handle
    assert len(handle) == 32
    assert user.id.bytes not in handle
    again = options_of(await offered(world, user, acting))
    second = Key(world, MemoryAuthenticator(credential_id=b"second"))
    second.authenticator.create(again)
    assert second.authenticator.user_handle == handle
    assert [each["id"] for each in again["excludeCredentials"]] != []


async def test_pk_07_registering_takes_a_proven_address_and_a_session_that_is_live(world: World) -> None:
    user = await world.register()
    acting = await world.sign_in()
    with pytest.raises(EmailNotVerified):
        await offered(world, user, acting)


async def test_pk_01_what_is_asked_of_a_session_is_good_there_once_and_for_registering_alone(world: World) -> None:
    user = await verified_user(world)
    acting, other = await world.sign_in(), await world.sign_in()
    key = Key(world, MemoryAuthenticator())
    asked = await offered(world, user, acting)
    made = key.created(asked)
    for session in (other, await world.sign_in()):
        with pytest.raises(InvalidPasskey):
            await register(world, user, session, made)
    await refused(world, key.answered(asked))
    wrong = PasskeyAnswer(asked.ceremony_id, made.answer | {"rawId": "b3RoZXI"})  # type: ignore[operator]
    with pytest.raises(InvalidPasskey):
        await register(world, user, acting, wrong)
    # Right, and too late: it was good for one answer.
    with pytest.raises(InvalidPasskey):
        await register(world, user, acting, made)
    for ceremony_id in (CeremonyId(uuid4()), (await ask(world).to_sign_in()).ceremony_id):
        with pytest.raises(InvalidPasskey):
            await register(world, user, acting, PasskeyAnswer(ceremony_id, made.answer))
    late = await offered(world, user, acting)
    world.clock.advance(timedelta(minutes=5))
    with pytest.raises(InvalidPasskey):
        await register(world, user, acting, key.created(late))


async def test_pk_07_a_passkey_of_somebody_else_is_not_registered_again(world: World) -> None:
    ada, bob = await verified_user(world), await verified_user(world, BOB)
    key = await passkey_of(world, ada)
    acting = await world.sign_in(BOB)
    copy = Key(world, MemoryAuthenticator(credential_id=key.authenticator.credential_id))
    with pytest.raises(PasskeyAlreadyRegistered):
        await register(world, bob, acting, copy.created(await offered(world, bob, acting)))
    assert (await world.container.resolve(ListFactors).execute(user_id=bob.id)).items == []


async def test_nobody_has_more_than_ten_factors(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    for number in range(9):
        await passkey_of(world, user, acting, MemoryAuthenticator(credential_id=f"passkey {number}".encode()))
    begun = Key(world, MemoryAuthenticator(credential_id=b"one too many"))
    asked = await offered(world, user, acting)
    await app_of(world, user, acting)
    with pytest.raises(TooManyFactors):
        await register(world, user, acting, begun.created(asked))
    with pytest.raises(TooManyFactors):
        await offered(world, user, acting)


async def test_a_passkey_alone_signs_in_and_that_is_two_factors(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    world.clock.advance(timedelta(minutes=1))
    principal = await principal_of(world, await sign_in_by(world, await key.to_sign_in()))
    assert (principal.user_id, list(principal.session.methods)) == (user.id, ["pop", "mfa"])
    assert principal.session.has_second_factor
    assert (await world.events_of(user.id))[:2] == ["session.started", "factor.used"]
    found = await world.container.resolve(ListFactors).execute(user_id=user.id)
    assert found.items[0].last_used_at == world.clock.now()


async def test_it_does_without_a_password(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    await discard_password(world, user)
    assert (await sign_in_by(world, await key.to_sign_in())).user.id == user.id


async def test_pk_05_a_holder_who_was_not_verified_does_not_sign_in_alone(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    key.authenticator.user_verified = False
    assert await why(world, await refused(world, await key.to_sign_in())) == {
        Check.NETWORK_LIMIT: Outcome.LEFT,
        Check.DEVICE: Outcome.NONE,
        Check.PASSKEY: Outcome.WRONG,
        Check.VERDICT: Outcome.REFUSED,
    }
    # As a second factor it does.
    waiting = await challenge(world)
    tokens = await answer(world, waiting, await key.for_challenge(waiting))
    assert list((await principal_of(world, tokens)).session.methods) == ["pwd", "pop", "mfa"]


async def test_pk_05_a_passkey_made_without_verifying_never_signs_in_alone(world: World) -> None:
    """A PIN that turns up later may be that of whoever has found the key."""
    user = await verified_user(world)
    authenticator = MemoryAuthenticator(user_verified=False)
    key = await passkey_of(world, user, authenticator=authenticator)
    assert key.registered is not None
    assert not key.registered.passkey.signs_in_alone
    authenticator.user_verified = True
    await refused(world, await key.to_sign_in())
    waiting = await challenge(world)
    assert (await answer(world, waiting, await key.for_challenge(waiting))).user.id == user.id


async def test_pk_01_an_answer_is_good_once_and_for_what_was_asked(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    shown = await key.to_sign_in()
    await sign_in_by(world, shown)
    events = await world.events_of(None)
    assert (await refused(world, shown)).reference is None
    waiting = await challenge(world)
    second = await key.for_challenge(waiting)
    await refused(world, second)
    with pytest.raises(InvalidFactor):
        await answer(world, ChallengeId(await challenge(world)), second)
    with pytest.raises(InvalidFactor):
        await answer(world, waiting, await key.to_sign_in())
    assert (await answer(world, waiting, await key.for_challenge(waiting))).user.id == user.id
    world.clock.advance(timedelta(minutes=1))
    late = await key.to_sign_in()
    world.clock.advance(timedelta(minutes=5))
    await refused(world, late)
    # Whoever makes ceremonies up leaves nothing behind.
    await refused(world, PasskeyAnswer(CeremonyId(uuid4()), shown.answer))
    assert await world.events_of(None) == events


async def test_pk_03_a_passkey_of_eve_does_not_finish_the_sign_in_of_ada(world: World) -> None:
    ada, eve = await verified_user(world), await verified_user(world, BOB)
    key = await passkey_of(world, ada)
    hers = await passkey_of(world, eve, authenticator=MemoryAuthenticator(credential_id=b"of Eve", key="key of Eve"))
    waiting = await challenge(world)
    asked = await ask(world).as_second_factor(challenge_id=waiting)
    with pytest.raises(InvalidFactor) as refusal:
        await answer(world, waiting, hers.answered(asked))
    assert refusal.value.reference is not None
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(ada.id) if entry.event == "factor.refused"]
    assert entry.details == {"kind": "passkey", "fault": "other_passkey"}
    # Nor does one that says it was Ada's.
    hers.authenticator.credential_id = key.authenticator.credential_id
    with pytest.raises(InvalidFactor):
        await answer(world, waiting, await hers.for_challenge(waiting))
    hers.authenticator.user_handle = key.authenticator.user_handle
    await refused(world, await hers.to_sign_in())
    assert (await answer(world, waiting, await key.for_challenge(waiting))).user.id == ada.id


async def test_pk_06_a_count_that_does_not_move_on_is_refused_and_the_owner_told(world: World) -> None:
    user = await verified_user(world)
    authenticator = MemoryAuthenticator(sign_count=7)
    key = await passkey_of(world, user, authenticator=authenticator)
    await world.work()
    await refused(world, await key.to_sign_in())
    assert (await world.events_of(user.id))[:2] == ["sign_in.refused", "passkey.copy_suspected"]
    assert [mail.kind for mail in await world.work()] == [MessageKind.PASSKEY_COPY_SUSPECTED]
    authenticator.sign_count = 8
    await sign_in_by(world, await key.to_sign_in())
    authenticator.sign_count, authenticator.backup_eligible, authenticator.backed_up = 9, False, False
    await refused(world, await key.to_sign_in())
    assert "passkey.copy_suspected" in (await world.events_of(user.id))[:2]


async def test_a_wrong_answer_of_a_stranger_is_no_sign_of_a_copy(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    shown = await key.to_sign_in()
    response = dict(shown.answer["response"]) | {"key": "another"}  # type: ignore[call-overload]
    forged = PasskeyAnswer(shown.ceremony_id, dict(shown.answer) | {"response": response})
    refusal = await refused(world, forged)
    assert refusal.reference is not None
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(user.id) if entry.outcome is EventOutcome.REFUSED]
    assert (entry.event, entry.details["fault"]) == ("sign_in.refused", "signature")


async def test_who_is_suspended_does_not_come_in_by_a_passkey_either(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    shown = await key.to_sign_in()
    await world.suspend(user.id)
    found = await why(world, await refused(world, shown))
    assert (found[Check.PASSKEY], found[Check.SUSPENSION]) == (Outcome.RIGHT, Outcome.IN_FORCE)
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(user.id) if entry.event == "sign_in.refused"]
    assert entry.details["reason"] == RefusalReason.SUSPENDED


async def test_nor_does_who_has_to_prove_the_mailbox_first() -> None:
    world = make_world(settings=SETTINGS.model_copy(update={"registration": Registration.DISCREET}))
    user = await world.container.resolve(CreateUser).execute(email=EMAIL, password=PASSWORD, email_verified=True)
    key = await passkey_of(world, user)
    async with world.unit_of_work.begin() as tx:
        found = await tx.users.get(user.id)
        found.set_email_verified(False, at=world.clock.now())
        await tx.users.save(found)
    assert (await why(world, await refused(world, await key.to_sign_in())))[Check.MAILBOX] is Outcome.UNPROVEN


async def test_nor_does_who_is_no_user_any_more(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    shown = await key.to_sign_in()
    async with world.unit_of_work.begin() as tx:
        await tx.users.remove(user.id)
    assert (await why(world, await refused(world, shown)))[Check.PASSKEY] is Outcome.WRONG


async def test_a_sign_in_that_waits_says_that_a_passkey_does(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    asked = await world.begin_sign_in()
    assert isinstance(asked, FactorRequired)
    assert asked.kinds == (FactorKind.PASSKEY, FactorKind.RECOVERY_CODE)
    allowed = options_of(await ask(world).as_second_factor(challenge_id=asked.challenge_id))["allowCredentials"]
    assert len(allowed) == 1
    assert (await answer(world, asked.challenge_id, recovery(key.codes[0]))).user.id == user.id
    # It is over.
    with pytest.raises(InvalidFactor):
        await ask(world).as_second_factor(challenge_id=asked.challenge_id)


async def test_no_passkey_is_asked_for_of_somebody_who_has_none(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    await app_of(world, user, acting)
    with pytest.raises(InvalidFactor):
        await ask(world).as_second_factor(challenge_id=await challenge(world))
    with pytest.raises(NoPasskey):
        await ask(world).as_fresh_proof(user_id=user.id, session_id=acting.session_id)


async def test_mf_05_where_guesses_at_codes_are_used_up_a_passkey_still_does(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    key = await passkey_of(world, user, acting)
    app = await app_of(world, user, acting)
    waiting = await challenge(world)
    for _ in range(10):
        with pytest.raises(InvalidFactor):
            await answer(world, waiting, totp(app.wrong_code()))
    with pytest.raises(Throttled):
        await answer(world, waiting, totp(app.next_code()))
    assert (await answer(world, waiting, await key.for_challenge(waiting))).user.id == user.id


async def test_who_has_a_passkey_proves_anew_by_it_in_that_session(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    key = await passkey_of(world, user, acting)
    world.clock.advance(timedelta(minutes=11))
    prove = world.container.resolve(Reauthenticate)
    ids = {"user_id": user.id, "session_id": acting.session_id}
    with pytest.raises(FactorProofRequired):
        await prove.execute(**ids, proof=PASSWORD)  # type: ignore[arg-type]
    other = await sign_in_by(world, await key.to_sign_in())
    shown = await key.for_session(user, other)
    with pytest.raises(InvalidFactor):
        await prove.execute(**ids, proof=shown)  # type: ignore[arg-type]
    session = await prove.execute(**ids, proof=await key.for_session(user, acting))  # type: ignore[arg-type]
    assert (session.authenticated_at, list(session.methods)) == (world.clock.now(), ["pwd", "pop", "mfa"])
    alone = await prove.execute(user_id=user.id, session_id=other.session_id, proof=await key.for_session(user, other))
    assert list(alone.methods) == ["pop", "mfa"]


def test_what_a_session_has_shown_is_not_less_for_being_shown_more() -> None:
    pwd, pop, otp, mfa, code = (
        AuthenticationMethod.PASSWORD,
        AuthenticationMethod.POSSESSION_OF_KEY,
        AuthenticationMethod.ONE_TIME_PASSWORD,
        AuthenticationMethod.MULTIPLE_FACTORS,
        AuthenticationMethod.RECOVERY_CODE,
    )
    assert with_factor((pwd,), pop) == (pwd, pop, mfa)
    assert with_factor((pop, mfa), pop) == (pop, mfa)
    assert with_factor((pop, mfa), otp) == (pop, otp, mfa)
    assert with_factor((pwd, otp, mfa), code) == (pwd, code, mfa)
    assert with_factor((pwd, otp, mfa), pop) == (pwd, pop, mfa)


async def test_pk_07_only_its_owner_renames_and_removes_a_passkey(world: World) -> None:
    """Incident 43."""
    ada, bob = await verified_user(world), await verified_user(world, BOB)
    acting, his = await world.sign_in(), await world.sign_in(BOB)
    key = await passkey_of(world, ada, acting)
    rename, other = world.container.resolve(RenamePasskey), {"user_id": bob.id, "session_id": his.session_id}
    with pytest.raises(FactorNotFound):
        await rename.execute(**other, factor_id=key.factor_id, name="Mine")  # type: ignore[arg-type]
    with pytest.raises(FactorNotFound):
        await remove(world, bob, his, key.factor_id)
    own = {"user_id": ada.id, "session_id": acting.session_id, "factor_id": key.factor_id}
    with pytest.raises(InvalidFields):
        await rename.execute(**own, name=" ")  # type: ignore[arg-type]
    assert (await rename.execute(**own, name=" Ring ")).name == "Ring"  # type: ignore[arg-type]
    assert (await rename.execute(**own, name=None)).name is None  # type: ignore[arg-type]
    assert (await world.events_of(ada.id))[0] == "factor.renamed"
    await remove(world, ada, acting, key.factor_id)
    await refused(world, await key.to_sign_in())
    assert (await world.sign_in()).user.id == ada.id
    assert (await world.work())[-1].kind is MessageKind.PASSKEY_REMOVED


async def test_pk_07_the_last_way_in_of_somebody_without_a_password_stays(world: World) -> None:
    user = await verified_user(world)
    first = await passkey_of(world, user, authenticator=MemoryAuthenticator(credential_id=b"first"))
    await discard_password(world, user)
    acting = await sign_in_by(world, await first.to_sign_in())
    # It shows that somebody has the device, and nothing more: no way in of its own.
    unverified = MemoryAuthenticator(credential_id=b"second", user_verified=False)
    second = await passkey_of(world, user, acting, unverified)
    with pytest.raises(LastWayIn):
        await remove(world, user, acting, first.factor_id)
    third = await passkey_of(world, user, acting, MemoryAuthenticator(credential_id=b"third"))
    await remove(world, user, acting, first.factor_id)
    await remove(world, user, acting, second.factor_id)
    with pytest.raises(LastWayIn):
        await remove(world, user, acting, third.factor_id)
    # An operator may: the mailbox is a way in then, as for whoever is invited.
    await world.container.resolve(ResetFactor).execute(user_id=user.id, factor_id=third.factor_id, reason="Lost")
    assert (await world.container.resolve(ListFactors).execute(user_id=user.id)).items == []


async def test_recovery_codes_go_with_the_last_factor_of_either_kind(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    key = await passkey_of(world, user, acting)
    app = await app_of(world, user, acting)
    assert app.codes == []
    await remove(world, user, acting, key.factor_id)
    assert (await world.container.resolve(ListFactors).execute(user_id=user.id)).recovery_codes_left == 10
    await remove(world, user, acting, app.factor_id)
    assert (await world.container.resolve(ListFactors).execute(user_id=user.id)).recovery_codes_left == 0


async def test_a_passkey_taken_away_while_it_is_being_shown_opens_nothing(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    key = await passkey_of(world, user, acting)
    shown = await key.to_sign_in()
    await remove(world, user, acting, key.factor_id)
    await refused(world, shown)


async def test_ceremonies_are_forgotten_when_they_are_over(world: World) -> None:
    for _ in range(3):
        await ask(world).to_sign_in()
    world.clock.advance(timedelta(minutes=5, seconds=1))
    assert (await world.container.resolve(PurgeExpired).execute())["passkey_ceremonies"] == 3


async def test_who_has_to_try_again_has_used_nothing_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passkey is on the device by then: another try must not need another one."""
    user = await verified_user(world)
    acting = await world.sign_in()
    key = Key(world, MemoryAuthenticator())
    made = key.created(await offered(world, user, acting))
    with pytest.raises(InvalidFields):
        await register(world, user, acting, made, " ")

    async def too_busy(*_: object, **__: object) -> PasswordHash:
        raise HashingBusy

    with monkeypatch.context() as busy:
        busy.setattr(world.passwords, "hash", too_busy)
        with pytest.raises(HashingBusy):
            await register(world, user, acting, made)
    assert (await register(world, user, acting, made)).passkey.user_id == user.id


async def test_a_refused_registration_says_to_operators_why(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    made = Key(world, MemoryAuthenticator()).created(await offered(world, user, acting))
    response = {"response": dict(made.answer["response"]) | {"challenge": "another"}}  # type: ignore[call-overload]
    with pytest.raises(InvalidPasskey):
        await register(world, user, acting, PasskeyAnswer(made.ceremony_id, dict(made.answer) | response))
    async with world.unit_of_work.read() as tx:
        (entry,) = [entry for entry in await tx.audit.of_user(user.id) if entry.event == "factor.refused"]
    assert entry.details == {"kind": "passkey", "fault": "challenge"}


async def test_wrong_passkeys_are_written_down_so_often_and_no_oftener(world: World) -> None:
    user = await verified_user(world)
    acting = await world.sign_in()
    key = await passkey_of(world, user, acting)
    app = await app_of(world, user, acting)
    waiting = await challenge(world)
    strange = Key(world, MemoryAuthenticator(credential_id=b"strange"))

    async def show_everywhere() -> None:
        for shown in (PasskeyAnswer(CeremonyId(uuid4()), {}), await strange.for_challenge(waiting)):
            with pytest.raises(InvalidFactor):
                await answer(world, waiting, shown)
        made_up = PasskeyAnswer(CeremonyId(uuid4()), {})
        for shown in (
            made_up,
            strange.answered(await ask(world).as_fresh_proof(user_id=user.id, session_id=acting.session_id)),
        ):
            with pytest.raises(InvalidFactor):
                await world.container.resolve(Reauthenticate).execute(
                    user_id=user.id, session_id=acting.session_id, proof=shown
                )

    for _ in range(10):
        await show_everywhere()
    assert (await world.events_of(user.id)).count("factor.refused") == 10
    # Nobody is kept out by that, by whichever factor.
    assert (await answer(world, waiting, await key.for_challenge(waiting))).user.id == user.id
    assert (await answer(world, await challenge(world), totp(app.next_code()))).user.id == user.id


async def test_signing_in_writes_wrong_passkeys_down_so_often_and_no_oftener(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    key.authenticator.user_verified = False
    references = [(await refused(world, await key.to_sign_in())).reference for _ in range(12)]
    assert [reference is not None for reference in references] == [True] * 10 + [False] * 2


async def test_a_network_that_has_to_wait_learns_nothing_and_known_devices_come_in(world: World) -> None:
    user = await verified_user(world)
    key = await passkey_of(world, user)
    shown = await key.to_sign_in()
    tokens = await sign_in_by(world, shown)
    waits = Throttled(Throttle(owner="192.0.2.7", name="credentials", limit=PLENTY), retry_after=timedelta(minutes=1))
    other = (await world.sign_in((await verified_user(world, BOB)).email.display)).device_token
    for token in (None, "hp_dt_made_up", other):
        with pytest.raises(Throttled):
            await sign_in_by(world, await key.to_sign_in(), strangers_wait=waits, device_token=token)
    mine = tokens.device_token
    assert (await sign_in_by(world, await key.to_sign_in(), strangers_wait=waits, device_token=mine)).user.id == user.id


async def test_who_takes_a_move_back_takes_away_what_came_with_it(world: World) -> None:
    """Whoever had the session may have made a passkey of theirs first: it would open everything for good."""
    user = await verified_user(world)
    app = await app_of(world, user)
    world.clock.advance(timedelta(days=2))
    thief = await passkey_of(world, user, await answer(world, await challenge(world), totp(app.code())))
    change = world.container.resolve(RequestEmailChange)
    session = await sign_in_by(world, await thief.to_sign_in())
    await world.work()
    await change.execute(user_id=user.id, session_id=session.session_id, new_email="thief@example.com")
    mail = await world.mailed(MessageKind.EMAIL_CHANGE_REQUESTED)
    await world.container.resolve(RevertEmailChange).execute(token=token_of(mail))
    await refused(world, await thief.to_sign_in())
    found = await world.container.resolve(ListFactors).execute(user_id=user.id)
    assert [factor.kind for factor in found.items] == [FactorKind.TOTP]
