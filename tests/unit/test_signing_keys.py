"""Rotating and revoking signing keys (SK-03, fault 27)."""

import asyncio
from datetime import timedelta

import pytest

from adapters.memory.token_signer import MemoryTokenSigner
from application.ports.token_signer import KeyMaterial
from application.sessions.access_tokens import AccessTokens
from application.sessions.authenticate import Authenticate
from application.signing.key_ring import KeyRing
from application.signing.list_signing_keys import ListSigningKeys
from application.signing.revoke_signing_key import RevokeSigningKey
from application.signing.rotate_signing_key import RotateSigningKey
from domain.ids import KeyId
from domain.sessions.session import InvalidAccessToken
from domain.signing.signing_key import KeyState, NextKeyTooYoung, SigningKey, SigningKeyNotFound
from tests.world import World, make_world, new_session, new_user

NOTICED = timedelta(seconds=60)
KNOWN = timedelta(minutes=10)


async def states(world: World) -> list[KeyState]:
    return [key.state for key in await world.container.resolve(ListSigningKeys).execute()]


async def active(world: World) -> SigningKey:
    return await world.container.resolve(KeyRing).active()


async def rotate(world: World, *, at_once: bool = False) -> SigningKey:
    return await world.container.resolve(RotateSigningKey).execute(at_once=at_once)


async def test_from_the_first_day_a_next_key_is_published(world: World) -> None:
    key = await active(world)
    assert sorted(await states(world)) == [KeyState.ACTIVE, KeyState.NEXT]
    published = await world.container.resolve(KeyRing).believed()
    assert len(published) == 2
    assert key in published


async def test_the_next_key_signs_once_everybody_may_know_it(world: World) -> None:
    old = await active(world)
    with pytest.raises(NextKeyTooYoung):
        await rotate(world)
    world.clock.advance(KNOWN)
    published = await world.container.resolve(KeyRing).believed()
    new = await rotate(world)
    assert new.id != old.id
    assert new.id in {key.id for key in published}
    assert sorted(await states(world)) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRING]
    world.clock.advance(NOTICED)
    assert (await active(world)).id == new.id


async def test_in_an_emergency_it_signs_at_once(world: World) -> None:
    old = await active(world)
    assert (await rotate(world, at_once=True)).id != old.id


async def test_a_retired_key_is_believed_for_as_long_as_its_tokens_live_and_revoked_later(world: World) -> None:
    await active(world)
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        await rotate(world)
    assert (await states(world)).count(KeyState.REVOKED) == 2
    assert (await states(world)).count(KeyState.RETIRING) == 1


async def test_after_ninety_days_the_ring_rotates_by_itself_and_two_rings_do_it_once(world: World) -> None:
    first = await active(world)
    world.clock.advance(timedelta(days=90) - timedelta(seconds=1))
    assert (await active(world)).id == first.id
    world.clock.advance(NOTICED)
    others = [make_world(world.adapters) for _ in range(2)]
    for other in others:
        other.clock.advance(world.clock.now() - other.clock.now())
    keys = {(await active(process)).id for process in (world, *others)}
    assert len(keys) == 1
    assert keys != {first.id}
    assert len(await states(world)) == 3


async def test_sk_03_no_token_fails_at_a_verifier_that_keeps_our_keys_for_five_minutes(world: World) -> None:
    tokens = world.container.resolve(AccessTokens)
    session = new_session(new_user())
    kept: dict[KeyId, SigningKey] = {}
    asked_at = world.clock.now() - timedelta(days=1)
    issued: list[str] = []
    for minute in range(240):
        if minute % 12 == 11:
            await rotate(world)
        if world.clock.now() - asked_at >= timedelta(minutes=5):
            kept = {key.id: key for key in await world.container.resolve(KeyRing).believed()}
            asked_at = world.clock.now()
        issued = [*issued[-9:], tokens.issue(session, await tokens.key(), roles=frozenset())]
        for token in issued:
            key_id = world.adapters.signer.key_id(token)
            assert key_id in kept, f"minute {minute}"
            assert world.adapters.signer.read(token, kept[key_id]) is not None
            await tokens.verify(token)
        world.clock.advance(timedelta(minutes=1))


@pytest.mark.parametrize("which", [KeyState.ACTIVE, KeyState.NEXT])
async def test_a_revoked_key_is_replaced_and_its_tokens_fail(world: World, which: KeyState) -> None:
    await world.register()
    tokens = await world.sign_in()
    key = next(key for key in await world.container.resolve(ListSigningKeys).execute() if key.state is which)
    revoke = world.container.resolve(RevokeSigningKey)
    await revoke.execute(key_id=key.id)
    await revoke.execute(key_id=key.id)
    assert sorted(await states(world)) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.REVOKED]
    world.clock.advance(NOTICED)
    assert key.id not in {published.id for published in await world.container.resolve(KeyRing).believed()}
    authenticate = world.container.resolve(Authenticate)
    if which is KeyState.ACTIVE:
        with pytest.raises(InvalidAccessToken):
            await authenticate.execute(access_token=tokens.access_token)
        tokens = await world.refresh(tokens.refresh_token)
    assert (await authenticate.execute(access_token=tokens.access_token)).session_id == tokens.session_id


async def test_a_key_that_is_not_there_cannot_be_revoked(world: World) -> None:
    with pytest.raises(SigningKeyNotFound):
        await world.container.resolve(RevokeSigningKey).execute(key_id=KeyId("0" * 32))


async def test_of_many_who_need_a_new_key_at_once_one_makes_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await active(world)
    world.clock.advance(timedelta(days=91))
    made = 0
    generate = MemoryTokenSigner.generate

    def count(signer: MemoryTokenSigner, key_id: KeyId) -> KeyMaterial:
        nonlocal made
        made += 1
        return generate(signer, key_id)

    async def load_slowly(ring: KeyRing) -> None:
        await asyncio.sleep(0)
        await load(ring)

    load = KeyRing._load  # noqa: SLF001  (memory answers at once; a database lets others run meanwhile)
    monkeypatch.setattr(KeyRing, "_load", load_slowly)
    monkeypatch.setattr(MemoryTokenSigner, "generate", count)
    assert len({key.id for key in await asyncio.gather(*(active(world) for _ in range(50)))}) == 1
    assert made == 2  # the spare one, and the first one if there had been none
