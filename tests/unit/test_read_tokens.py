"""Tokens that were read before: faster, and believed no longer than others."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import pytest
from joserfc import jws

from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.read_tokens import ReadTokens
from adapters.crypto.sealing import Sealer
from application.sessions.authenticate import Authenticate
from application.signing.key_ring import KeyRing
from application.signing.revoke_signing_key import RevokeSigningKey
from domain.sessions.session import InvalidAccessToken
from tests.contracts.test_token_signer import CLAIMS, make_key
from tests.world import World, make_world, memory_adapters

SIGNER = JoseTokenSigner(Sealer(b"r" * 32))
KEY = make_key(SIGNER, "0a0a0a0a")


@pytest.fixture
def world() -> World:
    return make_world(replace(memory_adapters(), signer=JoseTokenSigner(Sealer(b"r" * 32))))


async def signed_in(world: World) -> str:
    await world.register()
    return (await world.sign_in()).access_token


def test_a_signature_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Mock(wraps=jws.deserialize_compact)
    monkeypatch.setattr(jws, "deserialize_compact", verify)
    token = SIGNER.sign(CLAIMS, KEY)
    assert [SIGNER.read(token, KEY) for _ in range(3)] == [CLAIMS] * 3
    assert verify.call_count == 1


def test_a_signature_that_differs_in_a_character_is_another_token() -> None:
    token = SIGNER.sign(CLAIMS, KEY)
    assert SIGNER.read(token, KEY) == CLAIMS
    other = "A" if token[-20] != "A" else "B"
    assert SIGNER.read(token[:-20] + other + token[-19:], KEY) is None


def test_another_key_of_the_same_id_reads_nothing_that_was_read_before() -> None:
    token = SIGNER.sign(CLAIMS, KEY)
    assert SIGNER.read(token, KEY) == CLAIMS
    assert SIGNER.read(token, make_key(SIGNER, KEY.id)) is None


def test_those_that_were_used_longest_ago_are_forgotten() -> None:
    read = ReadTokens(most=2)
    for token in ("first", "second"):
        read.note(token, KEY, CLAIMS)
    assert read.find("first", KEY) == CLAIMS
    read.note("third", KEY, CLAIMS)
    assert [read.find(token, KEY) for token in ("first", "second", "third")] == [CLAIMS, None, CLAIMS]
    assert read.key_id("second") is None


async def test_a_token_that_was_believed_before_expires(world: World) -> None:
    token = await signed_in(world)
    authenticate = world.container.resolve(Authenticate)
    await authenticate.execute(access_token=token)
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(InvalidAccessToken):
        await authenticate.execute(access_token=token)


async def test_a_token_that_was_believed_before_falls_with_its_key(world: World) -> None:
    token = await signed_in(world)
    authenticate = world.container.resolve(Authenticate)
    await authenticate.execute(access_token=token)
    key = await world.container.resolve(KeyRing).active()
    await world.container.resolve(RevokeSigningKey).execute(key_id=key.id)
    world.clock.advance(timedelta(minutes=1))  # by then every process has noticed; the token lives for ten
    with pytest.raises(InvalidAccessToken):
        await authenticate.execute(access_token=token)
