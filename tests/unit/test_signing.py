"""The key ring, and access tokens made with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.memory.signing_keys import MemorySigningKeyRepository
from adapters.memory.token_signer import MemoryTokenSigner
from application.ports.unit_of_work import DatabaseUnavailable
from application.sessions.access_tokens import AccessTokenPolicy, AccessTokens
from application.signing.key_ring import KeyRing
from application.signing.rotate_signing_key import RotateSigningKey
from domain.ids import KeyId
from domain.sessions.session import InvalidAccessToken
from domain.signing.signing_key import ActiveSigningKeyExists, KeyState, SigningKey
from entrypoints.startup import StartupProblem, expect_readable_keys
from tests.world import World, make_signing_key, make_world, new_session, new_user


def ring_of(world: World) -> KeyRing:
    """A ring as another process would have it."""
    return KeyRing(world.unit_of_work, world.container.resolve(RotateSigningKey), world.clock)


def tokens_of(world: World, policy: AccessTokenPolicy | None = None) -> AccessTokens:
    policy = policy or AccessTokenPolicy(issuer="https://a.example.com", audience="https://a.example.com")
    return AccessTokens(ring_of(world), world.adapters.signer, world.clock, world.adapters.randomness, policy)


async def issued_by(tokens: AccessTokens) -> str:
    return tokens.issue(new_session(new_user()), await tokens.key(), roles=frozenset())


async def add_key(world: World, key_id: str, state: KeyState) -> None:
    async with world.unit_of_work.begin() as tx:
        await tx.signing_keys.add(make_signing_key(world.adapters.signer, key_id, state, at=world.clock.now()))


async def test_the_first_call_makes_the_key_and_others_find_it(world: World) -> None:
    key = await ring_of(world).active()
    assert key.state is KeyState.ACTIVE
    assert (await ring_of(world).active()).id == key.id
    assert await ring_of(world).find(key.id) == key


async def test_a_key_that_is_refused_as_a_second_one_without_a_first_is_a_bug(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_repository: object, _key: SigningKey) -> None:
        raise ActiveSigningKeyExists

    monkeypatch.setattr(MemorySigningKeyRepository, "add", refuse)
    with pytest.raises(RuntimeError, match="no first"):
        await ring_of(world).active()


async def test_a_new_key_is_noticed_after_a_few_seconds_and_not_asked_for_each_time(world: World) -> None:
    ring = ring_of(world)
    await ring.active()
    await add_key(world, "abcdef01", KeyState.NEXT)
    assert await ring.find(KeyId("abcdef01")) is None
    world.clock.advance(timedelta(seconds=5))
    assert await ring.find(KeyId("abcdef01")) is not None


async def test_what_is_known_is_read_again_after_a_minute(world: World) -> None:
    ring = ring_of(world)
    await ring.active()
    await add_key(world, "abcdef01", KeyState.NEXT)
    world.clock.advance(timedelta(seconds=60))
    await ring.active()
    await add_key(world, "abcdef02", KeyState.NEXT)
    assert await ring.find(KeyId("abcdef01")) is not None
    assert await ring.find(KeyId("abcdef02")) is None


async def test_tokens_of_a_revoked_key_are_not_believed(world: World) -> None:
    await add_key(world, "abcdef01", KeyState.REVOKED)
    assert await ring_of(world).find(KeyId("abcdef01")) is None


async def test_a_second_active_key_is_refused(world: World) -> None:
    await add_key(world, "abcdef01", KeyState.ACTIVE)
    with pytest.raises(ActiveSigningKeyExists):
        await add_key(world, "abcdef02", KeyState.ACTIVE)


async def test_a_token_says_what_rfc_9068_asks_for(world: World) -> None:
    session = new_session(new_user())
    tokens = tokens_of(world)
    claims = await tokens.verify(tokens.issue(session, await tokens.key(), roles=frozenset()))
    assert (claims.issuer, claims.audience, claims.client_id) == (
        "https://a.example.com",
        "https://a.example.com",
        "hallporter",
    )
    assert (claims.subject, claims.session_id, claims.methods) == (session.user_id, session.id, session.methods)
    assert claims.expires_at - claims.issued_at == timedelta(minutes=10)
    assert claims.authenticated_at == session.authenticated_at
    assert (
        claims.token_id != (await tokens.verify(tokens.issue(session, await tokens.key(), roles=frozenset()))).token_id
    )


@pytest.mark.parametrize("change", [{"issuer": "https://a.example.com/"}, {"audience": "https://b.example.com"}])
async def test_a_token_for_somebody_else_is_refused(world: World, change: dict[str, Any]) -> None:
    """OP-11."""
    policy = AccessTokenPolicy(issuer="https://a.example.com", audience="https://a.example.com")
    theirs = replace(policy, **change)
    token = await issued_by(tokens_of(world, theirs))
    with pytest.raises(InvalidAccessToken):
        await tokens_of(world, policy).verify(token)


async def test_a_token_from_the_future_is_refused_beyond_what_clocks_may_differ(world: World) -> None:
    """Fault 26."""
    world.clock.advance(timedelta(seconds=31))
    token = await issued_by(tokens_of(world))
    world.clock.advance(timedelta(seconds=-30))
    await tokens_of(world).verify(token)
    world.clock.advance(timedelta(seconds=-1))
    with pytest.raises(InvalidAccessToken):
        await tokens_of(world).verify(token)


async def test_another_root_key_stops_the_start(world: World) -> None:
    """Fault 28."""
    await expect_readable_keys(world.container, world.adapters)
    other = make_world(replace(world.adapters, signer=MemoryTokenSigner(root="other")))
    with pytest.raises(StartupProblem, match="SECRET_KEY"):
        await expect_readable_keys(other.container, other.adapters)


async def test_fault_3_keys_that_were_seen_serve_on_while_the_database_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, asked = ring_of(world), 0
    key = await ring.active()

    async def away(_repository: object) -> list[SigningKey]:
        nonlocal asked
        asked += 1
        raise DatabaseUnavailable(retry_after=timedelta(seconds=1))

    with monkeypatch.context() as patch:
        patch.setattr(MemorySigningKeyRepository, "all", away)
        world.clock.advance(timedelta(seconds=60))
        assert key in await ring.believed()
        assert await ring.find(key.id) == key
        assert await ring.find(KeyId("unknown")) is None
        assert asked == 1
        world.clock.advance(timedelta(seconds=5))
        assert await ring.find(key.id) == key
        assert asked == 2
        with pytest.raises(DatabaseUnavailable):
            await ring_of(world).find(key.id)
    await add_key(world, "new", KeyState.NEXT)
    world.clock.advance(timedelta(seconds=5))
    assert await ring.find(KeyId("new")) is not None


async def test_keys_that_cannot_be_read_are_not_believed_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them may have been revoked meanwhile."""
    ring = ring_of(world)
    key = await ring.active()

    async def away(_repository: object) -> list[SigningKey]:
        raise DatabaseUnavailable(retry_after=timedelta(seconds=1))

    monkeypatch.setattr(MemorySigningKeyRepository, "all", away)
    world.clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    assert await ring.find(key.id) == key
    world.clock.advance(timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            await ring.find(key.id)
        with pytest.raises(DatabaseUnavailable):
            await ring.believed()


async def test_fault_4_whoever_waits_for_keys_that_do_not_come_waits_once_for_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, asked = ring_of(world), 0

    async def away(_repository: object) -> list[SigningKey]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        raise DatabaseUnavailable(retry_after=timedelta(seconds=1))

    monkeypatch.setattr(MemorySigningKeyRepository, "all", away)
    found = await asyncio.gather(*(ring.find(KeyId("x")) for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in found} == {DatabaseUnavailable}
    assert asked == 1
    world.clock.advance(timedelta(seconds=5))
    with pytest.raises(DatabaseUnavailable):
        await ring.find(KeyId("x"))
    assert asked == 2
