"""Hashes that other systems made are recognised, and their passwords match.

`vectors.json` says what made each of them; nothing in it was made by Hallporter.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.crypto.foreign_hashes.recognition import recognise

VECTORS: list[dict[str, Any]] = [
    vector
    for vectors in json.loads(Path(__file__).with_name("vectors.json").read_text()).values()
    for vector in vectors
]
FORMATS = {
    *("argon2d", "argon2i", "argon2id"),
    *("bcrypt", "bcrypt_sha256", "wordpress_bcrypt"),
    *("scrypt", "firebase_scrypt"),
    *("pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512"),
    *("sha256_crypt", "sha512_crypt", "md5_crypt", "apr_md5_crypt", "phpass"),
    *("md5", "sha1", "sha256", "sha512", "hmac_sha256", "hmac_sha512"),
}


def test_there_are_vectors_of_every_format() -> None:
    assert {vector["format"] for vector in VECTORS} == FORMATS


@pytest.mark.parametrize(
    "vector",
    VECTORS,
    ids=[f"{number}: {vector['format']} of {vector['made_by']}" for number, vector in enumerate(VECTORS)],
)
def test_the_right_password_matches_and_no_other(vector: dict[str, Any]) -> None:
    known = recognise(vector["hash"])
    password: str = vector["password"]
    assert known.format == vector["format"]
    assert known.matches(password.encode())
    assert not known.matches(f"not {password}".encode())
    assert not known.matches(b"")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["format"]))
def test_its_one_spelling_is_read_as_the_same(vector: dict[str, Any]) -> None:
    known = recognise(vector["hash"])
    assert recognise(known.encoded) == known
    assert recognise(known.encoded).encoded == known.encoded
    assert known.encoded.isascii()
    assert len(known.encoded) <= 1_024


BCRYPT = "$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
SHA1_HEX, SHA1_BASE64 = "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "W6ph5Mm5Pz8GgiULbPgzG37mj9g="
SIXTEEN = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"$2a{BCRYPT}", f"$2b{BCRYPT}"),
        (f"$2y{BCRYPT}", f"$2b{BCRYPT}"),
        (f"bcrypt$$2y{BCRYPT}", f"$2b{BCRYPT}"),
        (f"$2b{BCRYPT.replace('stuu', 'stuv')}", f"$2b{BCRYPT}"),  # two spellings of one salt
        (f"{{CRYPT}}$2a{BCRYPT}", f"$2b{BCRYPT}"),
        (f"{{SHA}}{SHA1_BASE64}", {"format": "sha1", "hash": SHA1_HEX}),
        (f"{{sha}}{SHA1_BASE64}", {"format": "sha1", "hash": SHA1_BASE64}),
        (f"sha1$${SHA1_HEX}", {"format": "sha1", "hash": SHA1_HEX.upper()}),
        (f"sha1$ab${SHA1_HEX}", {"format": "sha1", "hash": SHA1_HEX, "salt": "ab", "salt_position": "before"}),
        (
            {"format": "sha1", "hash": SHA1_HEX, "salt": "ab", "salt_position": "after"},
            {"format": "sha1", "hash": SHA1_HEX, "salt": "YWI", "salt_encoding": "base64", "salt_position": "after"},
        ),
        (f"$argon2id$m=64,t=1,p=1${SIXTEEN}${SIXTEEN}", f"$argon2id$v=16$m=64,t=1,p=1${SIXTEEN}${SIXTEEN}"),
        (
            f"argon2$argon2id$v=19$m=64,t=1,p=1${SIXTEEN}${SIXTEEN}",
            f"$argon2id$v=19$m=64,t=1,p=1${SIXTEEN}==${SIXTEEN}",
        ),
        (f"$scrypt$ln=4,r=8,p=1$YWI${SIXTEEN}", f"scrypt$16$ab$8$1${SIXTEEN}=="),
        (f"scrypt:16:8:1$ab${'00' * 16}", f"scrypt$16$ab$8$1${SIXTEEN}=="),
        (f"$pbkdf2-sha256$9$YWI${SIXTEEN}", f"pbkdf2_sha256$9$ab${SIXTEEN}=="),
        (f"$pbkdf2-sha256$i=9,l=16$YWI${SIXTEEN}", f"pbkdf2:sha256:9$ab${'00' * 16}"),
        (f"$pbkdf2-sha1$9$YWI${SIXTEEN}", f"$pbkdf2$9$YWI${SIXTEEN}"),
        ("$5$rounds=5000$s$" + "0" * 43, "$5$s$" + "0" * 43),
        ("$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
    ],
)
def test_two_notations_of_one_hash_become_one(one: Any, other: Any) -> None:
    assert recognise(one).encoded == recognise(other).encoded


def test_bcrypt_takes_the_first_72_bytes_as_it_did_where_the_hash_was_made() -> None:
    (long,) = [
        vector
        for vector in VECTORS
        if vector["made_by"].startswith("crypt(3)") and vector["hash"][:4] == "$2b$" and len(vector["password"]) == 256
    ]
    known, password = recognise(long["hash"]), long["password"].encode()
    assert known.matches(password[:72])
    assert known.matches(password[:72] + b"anything else")
    assert not known.matches(password[:71])


def test_a_nul_matches_nothing_where_it_would_end_the_password_in_c() -> None:
    for kind in ("bcrypt", "sha512_crypt", "md5_crypt", "phpass"):
        vector = next(vector for vector in VECTORS if vector["format"] == kind)
        known, password = recognise(vector["hash"]), vector["password"].encode()
        assert known.matches(password)
        assert not known.matches(password + b"\0")
        assert not known.matches(password + b"\0" + password)


def test_wordpress_takes_no_notice_of_space_around_the_password() -> None:
    vector = next(vector for vector in VECTORS if vector["format"] == "wordpress_bcrypt")
    assert recognise(vector["hash"]).matches(f" \t{vector['password']}\n".encode())


def test_the_faulty_bcrypt_of_old_is_not_said_to_be_the_right_one() -> None:
    assert recognise(f"$2x{BCRYPT}").encoded == f"$2x{BCRYPT}"
    assert recognise(f"$2x{BCRYPT}").matches(b"x")
