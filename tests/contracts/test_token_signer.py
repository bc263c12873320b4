"""What a token signer promises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.sealing import Sealer
from adapters.memory.token_signer import MemoryTokenSigner
from application.ports.token_signer import TokenSigner
from domain.audit.checkpoint import CheckpointClaims
from domain.ids import KeyId
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.authentication_method import AuthenticationMethod
from domain.signing.signing_key import SigningKey
from tests.world import new_session, new_user

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SESSION = new_session(new_user())
CLAIMS = AccessTokenClaims(
    issuer="https://a.example.com",
    audience="https://b.example.com",
    subject=SESSION.user_id,
    session_id=SESSION.id,
    client_id="hallporter",
    token_id="0192f1c4",
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
    authenticated_at=NOW - timedelta(hours=1),
    methods=(AuthenticationMethod.PASSWORD,),
)


@pytest.fixture(params=["memory", "jose"])
def signer(request: pytest.FixtureRequest) -> TokenSigner:
    return MemoryTokenSigner() if request.param == "memory" else JoseTokenSigner(Sealer(b"r" * 32))


def make_key(signer: TokenSigner, key_id: str) -> SigningKey:
    material = signer.generate(KeyId(key_id))
    return SigningKey.prepared(
        id=KeyId(key_id),
        algorithm=material.algorithm,
        public_key=material.public_key,
        sealed_private_key=material.sealed_private_key,
        at=NOW,
    )


def test_what_was_signed_is_read_again(signer: TokenSigner) -> None:
    key = make_key(signer, "0a0a0a0a")
    token = signer.sign(CLAIMS, key)
    assert signer.key_id(token) == key.id
    assert signer.read(token, key) == CLAIMS


def test_another_key_reads_nothing(signer: TokenSigner) -> None:
    token = signer.sign(CLAIMS, make_key(signer, "0a0a0a0a"))
    assert signer.read(token, make_key(signer, "0b0b0b0b")) is None


def test_no_character_of_a_token_can_be_changed(signer: TokenSigner) -> None:
    key = make_key(signer, "0a0a0a0a")
    token = signer.sign(CLAIMS, key)
    for position in range(0, len(token), 3):
        other = "A" if token[position] != "A" else "B"
        assert signer.read(token[:position] + other + token[position + 1 :], key) is None
    assert signer.read(token + "A", key) is None
    assert signer.read(token[:-1], key) is None


@pytest.mark.parametrize("text", ["", "x", "..", "a.b", "a.b.c.d", "é.é.é"])
def test_what_is_no_token_is_told_to_be_none(signer: TokenSigner, text: str) -> None:
    assert signer.read(text, make_key(signer, "0a0a0a0a")) is None


def test_a_key_opens_under_its_own_id_and_root_key_only(signer: TokenSigner) -> None:
    """SK-04, fault 28."""
    key = make_key(signer, "0a0a0a0a")
    other: TokenSigner = (
        MemoryTokenSigner("other") if isinstance(signer, MemoryTokenSigner) else JoseTokenSigner(Sealer(b"o" * 32))
    )
    assert signer.opens(key)
    assert not signer.opens(replace(key, id=KeyId("0b0b0b0b")))
    assert not other.opens(key)


def test_private_keys_do_not_print(signer: TokenSigner) -> None:
    material = signer.generate(KeyId("0a0a0a0a"))
    assert material.sealed_private_key not in repr(material)


CHECKPOINT = CheckpointClaims(
    issuer="https://a.example.com", position=7, sequence=9, chain_hash="ab" * 32, made_at=NOW, entries=7
)


def test_la_05_what_was_signed_as_a_checkpoint_is_read_again_by_its_own_key(signer: TokenSigner) -> None:
    key = make_key(signer, "0a0a0a0a")
    statement = signer.sign_checkpoint(CHECKPOINT, key)
    assert signer.read_checkpoint(statement, key) == CHECKPOINT
    assert signer.read_checkpoint(statement, make_key(signer, "0b0b0b0b")) is None
    for position in range(0, len(statement), 3):
        other = "A" if statement[position] != "A" else "B"
        assert signer.read_checkpoint(statement[:position] + other + statement[position + 1 :], key) is None


def test_st_11_a_checkpoint_is_no_access_token_and_an_access_token_no_checkpoint(signer: TokenSigner) -> None:
    key = make_key(signer, "0a0a0a0a")
    statement, token = signer.sign_checkpoint(CHECKPOINT, key), signer.sign(CLAIMS, key)
    assert signer.key_id(statement) is None
    assert signer.read(statement, key) is None
    assert signer.read_checkpoint(token, key) is None
