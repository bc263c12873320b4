"""Signing in, being recognised, signing out."""

import base64
import hashlib
from datetime import timedelta

import pytest

from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.sessions import MemorySessionRepository
from application.ports.password_hasher import HashingBusy
from application.ports.unit_of_work import DatabaseUnavailable
from application.sessions.authenticate import Authenticate
from application.sessions.note_use import NoteUse
from application.sessions.sign_out import SignOut
from domain.ids import SessionId, UserId
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import Device, InvalidAccessToken, InvalidCredentials, SessionNotFound
from domain.users.password import Password, PasswordHash
from tests.world import EMAIL, PASSWORD, World


async def who_am_i(world: World, access_token: str) -> UserId:
    principal = await world.container.resolve(Authenticate).execute(access_token=access_token)
    return principal.user_id


async def test_whoever_signs_in_is_recognised(world: World) -> None:
    user = await world.register()
    signed_in = await world.sign_in(EMAIL.upper())
    principal = await world.container.resolve(Authenticate).execute(access_token=signed_in.access_token)
    assert principal.user == user
    assert principal.session_id == signed_in.session_id
    assert signed_in.access_token_lifetime == timedelta(minutes=10)
    assert await world.events_of(user.id) == ["session.started", "user.registered"]


async def test_the_refresh_token_is_kept_as_a_hash_of_the_first_generation(world: World) -> None:
    await world.register()
    signed_in = await world.sign_in()
    secret = RefreshTokenSecret.parse(signed_in.refresh_token.text)
    assert secret is not None
    async with world.unit_of_work.read() as tx:
        kept = await tx.refresh_tokens.find(secret.digest())
    assert kept is not None
    assert (kept.session_id, kept.generation) == (signed_in.session_id, 1)


async def test_the_session_remembers_the_device(world: World) -> None:
    await world.register()
    signed_in = await world.sign_in(device=Device(user_agent="curl/8", network_address="192.0.2.1"))
    async with world.unit_of_work.read() as tx:
        session = await tx.sessions.get(signed_in.session_id)
    assert session.device == Device(user_agent="curl/8", network_address="192.0.2.1", name="curl")


async def test_lg_01_every_refusal_looks_the_same_and_says_why_only_to_operators(world: World) -> None:
    ada, bob, eve = [await world.register(f"{name}@example.com") for name in ("ada", "bob", "eve")]
    await world.suspend(bob.id)
    async with world.unit_of_work.begin() as tx:
        eve.password_hash = None
        await tx.users.save(eve)

    refusals = []
    for email, password in [
        ("ada@example.com", "not the password"),
        ("bob@example.com", PASSWORD),
        ("eve@example.com", ""),
        ("nobody@example.com", PASSWORD),
    ]:
        with pytest.raises(InvalidCredentials) as refusal:
            await world.sign_in(email, password)
        refusals.append((type(refusal.value), refusal.value.code, refusal.value.detail))
    assert len(set(refusals)) == 1

    async with world.unit_of_work.read() as tx:
        reasons = [(await tx.audit.of_user(user.id, limit=1))[0].details for user in (ada, bob, eve)]
    assert [reason["reason"] for reason in reasons] == ["wrong_password", "suspended", "no_password"]


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
async def test_lg_02_every_attempt_costs_one_comparison(world: World, email: str) -> None:
    await world.register()
    with pytest.raises(InvalidCredentials):
        await world.sign_in(email, "not the password")
    assert world.passwords.comparisons == 1


async def test_lg_01_a_malformed_address_is_refused_like_one_of_nobodys(world: World) -> None:
    with pytest.raises(InvalidCredentials):
        await world.sign_in("nobody")
    assert world.passwords.comparisons == 1


async def test_pw_02_the_password_may_be_typed_in_another_normal_form(world: World) -> None:
    await world.register(password="caf\u00e9 au lait \u00e0 midi")
    await world.sign_in(password="cafe\u0301 au lait a\u0300 midi")


async def test_pw_07_an_outdated_hash_is_replaced_at_sign_in(world: World) -> None:
    user = await world.register()
    world.passwords.generation = 2
    signed_in = await world.sign_in()
    async with world.unit_of_work.read() as tx:
        stored = await tx.users.get(user.id)
    assert stored.password_hash != user.password_hash
    assert stored.security_epoch == user.security_epoch
    await world.sign_in()
    assert await who_am_i(world, signed_in.access_token) == user.id


async def test_pw_07_a_hash_of_another_system_is_replaced_at_the_first_sign_in(world: World) -> None:
    user = await world.register()
    # What LDAP would have of the same password.
    written = "{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324  (theirs)
    transfer = world.adapters.password_transfer
    async with world.unit_of_work.begin() as tx:
        user.rehash_password(transfer.take_in(transfer.recognise(written), owner=user.id))
        await tx.users.save(user)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(password="a quiet harbour at dusk")
    assert (await stored_hash(world, user.id)) == written
    await world.sign_in()
    assert transfer.recognise(await stored_hash(world, user.id)).format == "memory"
    await world.sign_in()


async def stored_hash(world: World, user_id: UserId) -> str:
    async with world.unit_of_work.read() as tx:
        hashed = (await tx.users.get(user_id)).password_hash
    assert hashed is not None
    return world.adapters.password_transfer.hand_out(hashed) or "unreadable"


@pytest.mark.parametrize(
    "obstacle", [HashingBusy(), DatabaseUnavailable(retry_after=timedelta(seconds=1)), RuntimeError("a bug")]
)
async def test_pw_07_whatever_stands_in_the_way_of_rehashing_the_sign_in_succeeds(
    world: World, obstacle: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await world.register()

    async def refuse(self: MemoryPasswordHasher, password: Password, *, owner: UserId) -> PasswordHash:
        raise obstacle

    world.passwords.generation = 2
    monkeypatch.setattr(MemoryPasswordHasher, "hash", refuse)
    signed_in = await world.sign_in()
    assert await who_am_i(world, signed_in.access_token) == user.id


async def test_an_access_token_lives_ten_minutes(world: World) -> None:
    user = await world.register()
    signed_in = await world.sign_in()
    world.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    assert await who_am_i(world, signed_in.access_token) == user.id
    world.clock.advance(timedelta(seconds=1))
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, signed_in.access_token)


async def test_st_03_whoever_signs_out_is_out_at_once(world: World) -> None:
    user = await world.register()
    first, second = await world.sign_in(), await world.sign_in()
    await world.container.resolve(SignOut).execute(session_id=first.session_id)
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, first.access_token)
    assert await who_am_i(world, second.access_token) == user.id
    assert (await world.events_of(user.id))[0] == "session.ended"


async def test_signing_out_twice_changes_nothing(world: World) -> None:
    user = await world.register()
    signed_in = await world.sign_in()
    for _ in range(2):
        await world.container.resolve(SignOut).execute(session_id=signed_in.session_id)
    assert (await world.events_of(user.id)).count("session.ended") == 1


async def test_a_session_that_is_not_there_cannot_be_signed_out(world: World) -> None:
    unknown = SessionId(world.adapters.randomness.uuid(at=world.clock.now()))
    with pytest.raises(SessionNotFound):
        await world.container.resolve(SignOut).execute(session_id=unknown)


async def test_st_05_whoever_is_suspended_is_out_at_once_and_for_good(world: World) -> None:
    user = await world.register()
    signed_in = await world.sign_in()
    await world.suspend(user.id)
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, signed_in.access_token)
    async with world.unit_of_work.begin() as tx:
        stored = await tx.users.get(user.id)
        stored.reinstate(at=world.clock.now())
        await tx.users.save(stored)
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, signed_in.access_token)
    await world.sign_in()


async def test_a_suspension_during_the_sign_in_makes_a_dead_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 18."""
    user = await world.register()
    compare = MemoryPasswordHasher.matches

    async def suspend_meanwhile(self: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        await world.suspend(user.id)
        return await compare(self, password, hashed)

    monkeypatch.setattr(MemoryPasswordHasher, "matches", suspend_meanwhile)
    signed_in = await world.sign_in()
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, signed_in.access_token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.b", "." * 10_000])
async def test_nonsense_is_no_access_token(world: World, token: str) -> None:
    with pytest.raises(InvalidAccessToken):
        await who_am_i(world, token)


async def test_secrets_do_not_print(world: World) -> None:
    await world.register()
    signed_in = await world.sign_in()
    assert signed_in.access_token not in repr(signed_in)
    assert signed_in.refresh_token.text not in repr(signed_in)


async def test_a_use_that_cannot_be_noted_hurts_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.register()
    tokens = await world.sign_in()
    world.clock.advance(timedelta(minutes=2))
    principal = await world.container.resolve(Authenticate).execute(access_token=tokens.access_token)

    async def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable(retry_after=timedelta(seconds=1))

    monkeypatch.setattr(MemorySessionRepository, "note_use", refuse)
    assert world.container.resolve(NoteUse).is_due(principal)
    await world.container.resolve(NoteUse).execute(principal=principal)
