"""What is promised about hashes that come from elsewhere, and those that go there."""

from dataclasses import dataclass

import pytest

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.password_transfer import SealingPasswordTransfer
from adapters.crypto.sealing import Sealer
from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.password_transfer import MemoryPasswordTransfer
from application.ports.password_hasher import PasswordHasher
from application.ports.password_transfer import PasswordTransfer, UnusableHash, WrittenHash
from domain.users.password import Password, PasswordHash
from tests.world import new_user

OWNER, OTHER = new_user().id, new_user().id
PASSWORD = Password("a quiet harbour at dawn")
WRONG = Password("a quiet harbour at dusk")
# Made by `printf … | openssl dgst -sha1`, in hexadecimal digits and in base64.
SHA1 = "a8c21ee49f895e12d720addf00cc5bdd7e8416be"
SHA1_OBJECT: WrittenHash = {"format": "sha1", "hash": SHA1}
SHA1_TEXT = "{SHA}qMIe5J+JXhLXIK3fAMxb3X6EFr4="


@dataclass
class Pair:
    hasher: PasswordHasher
    transfer: PasswordTransfer


@pytest.fixture(params=["memory", "sealing"])
def pair(request: pytest.FixtureRequest) -> Pair:
    if request.param == "memory":
        return Pair(MemoryPasswordHasher(), MemoryPasswordTransfer())
    sealer = Sealer(b"r" * 32)
    return Pair(Argon2PasswordHasher(sealer, memory_kib=8, iterations=1), SealingPasswordTransfer(sealer))


async def test_whoever_moves_in_comes_in_with_the_password_of_the_other_system(pair: Pair) -> None:
    kept = pair.transfer.take_in(pair.transfer.recognise(SHA1_OBJECT), owner=OWNER)
    assert kept.owner == OWNER
    assert await pair.hasher.matches(PASSWORD, kept)
    assert not await pair.hasher.matches(WRONG, kept)
    assert not await pair.hasher.matches(Password("\ud800"), kept)


async def test_a_hash_of_another_system_needs_a_rehash(pair: Pair) -> None:
    assert pair.hasher.needs_rehash(pair.transfer.take_in(pair.transfer.recognise(SHA1_TEXT), owner=OWNER))


async def test_what_is_taken_in_matches_for_its_owner_alone(pair: Pair) -> None:
    kept = pair.transfer.take_in(pair.transfer.recognise(SHA1_TEXT), owner=OWNER)
    stolen = PasswordHash(owner=OTHER, encoded=kept.encoded)
    assert not await pair.hasher.matches(PASSWORD, stolen)
    assert not pair.hasher.needs_rehash(stolen)
    assert pair.transfer.hand_out(stolen) is None


async def test_what_is_handed_out_can_be_taken_in_again_for_somebody_else(pair: Pair) -> None:
    written = pair.transfer.hand_out(await pair.hasher.hash(PASSWORD, owner=OWNER))
    assert written is not None
    kept = pair.transfer.take_in(pair.transfer.recognise(written), owner=OTHER)
    assert await pair.hasher.matches(PASSWORD, kept)
    assert not await pair.hasher.matches(WRONG, kept)
    assert not pair.hasher.needs_rehash(kept)


async def test_what_was_taken_in_is_handed_out_as_it_was_recognised(pair: Pair) -> None:
    foreign = pair.transfer.recognise(SHA1_TEXT)
    assert pair.transfer.hand_out(pair.transfer.take_in(foreign, owner=OWNER)) == foreign.encoded
    assert pair.transfer.recognise(foreign.encoded) == foreign


def test_two_notations_of_one_hash_become_one(pair: Pair) -> None:
    assert pair.transfer.recognise(SHA1_TEXT) == pair.transfer.recognise(SHA1_OBJECT)
    assert pair.transfer.recognise(SHA1_TEXT).format == "sha1"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "unknown_password_hash"),
        ("a quiet harbour at dawn", "unknown_password_hash"),
        ({}, "unknown_password_hash"),
        ({"format": 1}, "unknown_password_hash"),
        ({"format": "rot13", "hash": SHA1}, "unknown_password_hash"),
        ("{SHA}", "malformed_password_hash"),
        (SHA1_TEXT[:-2], "malformed_password_hash"),
        ({"format": "sha1"}, "malformed_password_hash"),
        ({"format": "sha1", "hash": 5}, "malformed_password_hash"),
        ({"format": "sha1", "hash": SHA1[:-1]}, "malformed_password_hash"),
        ("{SHA}" + "x" * 2_048, "password_hash_too_costly"),
    ],
)
def test_what_nobody_could_sign_in_with_is_refused(pair: Pair, written: WrittenHash, code: str) -> None:
    with pytest.raises(UnusableHash) as refusal:
        pair.transfer.recognise(written)
    assert refusal.value.code == code


def test_no_refusal_repeats_the_hash(pair: Pair) -> None:
    with pytest.raises(UnusableHash) as refusal:
        pair.transfer.recognise({"format": "sha1", "hash": SHA1[:-1]})
    assert SHA1[:8] not in f"{refusal.value} {refusal.value.detail} {pair.transfer.recognise(SHA1_OBJECT)!r}"
