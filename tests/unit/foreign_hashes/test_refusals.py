"""Hashes that nobody could sign in with, or that would be an attack, are refused, and in no other way."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.crypto.foreign_hashes import limits
from adapters.crypto.foreign_hashes.known_hash import KnownHash
from adapters.crypto.foreign_hashes.recognition import read, recognise
from application.ports.password_transfer import UnusableHash

UNKNOWN, MALFORMED, COSTLY = "unknown_password_hash", "malformed_password_hash", "password_hash_too_costly"
SIXTEEN = "AAAAAAAAAAAAAAAAAAAAAA"
BCRYPT = "abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
WRITTEN: list[Any] = [
    vector["hash"]
    for vectors in json.loads(Path(__file__).with_name("vectors.json").read_text()).values()
    for vector in vectors
]


def argon2(parameters: str = "m=64,t=1,p=1", salt: str = SIXTEEN, digest: str = SIXTEEN, version: str = "v=19$") -> str:
    return f"$argon2id${version}{parameters}${salt}${digest}"


def pbkdf2(**fields: object) -> dict[str, object]:
    return {"format": "pbkdf2_sha256", "iterations": 1_000, "salt": "salt", "hash": "00" * 16, **fields}


def digest(**fields: object) -> dict[str, object]:
    return {"format": "md5", "hash": "00" * 16, **fields}


def firebase(**fields: object) -> dict[str, object]:
    keys = {"base64_signer_key": SIXTEEN, "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}
    return {"format": "firebase_scrypt", "passwordHash": SIXTEEN, "salt": "abcd", **keys, **fields}


def keycloak(algorithm: str = "argon2", **parameters: object) -> dict[str, object]:
    known = {"type": ["id"], "version": ["1.3"], "memory": ["64"], "parallelism": ["1"], **parameters}
    return {
        "secretData": json.dumps({"value": SIXTEEN, "salt": SIXTEEN}),
        "credentialData": {"hashIterations": 1, "algorithm": algorithm, "additionalParameters": known},
    }


@pytest.mark.parametrize("written", [argon2(), pbkdf2(), digest(), firebase(), keycloak()])
def test_what_the_examples_below_are_made_from_is_accepted(written: Any) -> None:
    assert recognise(written).encoded


@pytest.mark.parametrize(
    "written",
    [
        "",
        "password",
        "A quiet harbour at dawn",
        "AAAA",
        "5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
        "$y$j9T$salt$digest",
        None,
        17,
        ["$argon2id$"],
        {},
        {"format": None},
        {"format": "argon2id", "hash": argon2()},
        {"hash": argon2()},
        {"format": ["md5"], "hash": "00" * 16},
        keycloak("scrypt"),
        {**keycloak(), "type": "otp"},
    ],
)
def test_what_is_in_no_known_notation_is_unknown(written: Any) -> None:
    assert refusal(written) == UNKNOWN


@pytest.mark.parametrize(
    "written",
    [
        argon2() + "$",
        argon2() + "\n",
        argon2("m=64,t=1,p=1,data=AAAA"),
        argon2("m=7,t=1,p=1"),
        argon2("m=15,t=1,p=2"),
        argon2("m=64,t=0,p=1"),
        argon2("m=64,t=1,p=0"),
        argon2("m=64,t=1,p=१"),
        argon2(version="v=18$"),
        argon2(salt="c2hvcnQ"),
        argon2(digest="c2hvcnQ"),
        argon2(digest=""),
        argon2(digest="A"),
        argon2(digest="ä" * 22),
        "$2b$03$" + BCRYPT,
        "$2b$32$" + BCRYPT,
        "$2b$10$" + BCRYPT[:-1],
        "$2b$10$" + BCRYPT + "a",
        "$2z$10$" + BCRYPT,
        "$2$05$" + BCRYPT,
        "bcrypt$",
        f"$scrypt$ln=0,r=8,p=1$$${SIXTEEN}",
        f"$scrypt$ln=4,r=8,p=1$salt${SIXTEEN}$",
        f"$scrypt$ln=4,r=0,p=1$salt${SIXTEEN}",
        f"$scrypt$ln=4,r=8,p=0$salt${SIXTEEN}",
        f"$scrypt$ln=16,r=1,p=1$salt${SIXTEEN}",
        f"scrypt$1000$salt$8$1${SIXTEEN}",
        f"scrypt:1000:8:1$salt${'00' * 16}",
        f"scrypt:1024:8:1$salt${'0' * 33}",
        f"$pbkdf2-sha256$0$salt${SIXTEEN}",
        f"$pbkdf2-md5$1$salt${SIXTEEN}",
        "$pbkdf2-sha256$1$salt$short",
        "pbkdf2_sha256$1000$salt$",
        f"pbkdf2_sha256$-1$salt${SIXTEEN}",
        pbkdf2(iterations=0),
        pbkdf2(iterations=-1),
        pbkdf2(iterations="1000"),
        pbkdf2(iterations=True),
        pbkdf2(iterations=1000.0),
        pbkdf2(hash=None),
        pbkdf2(salt="0", salt_encoding="hex"),
        pbkdf2(salt="\ud800"),
        pbkdf2(salt_encoding="rot13"),
        pbkdf2(pepper="unknown here"),
        digest(salt="salt"),
        digest(salt="salt", salt_position="around"),
        digest(salt="salt", salt_position="key"),
        digest(hash="00" * 15),
        digest(hash="00" * 17),
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=AAAA",
        "{SSHA}AAAA",
        "{PLAIN}password",
        "md5$salt$",
        "md5$salt$digest$",
        "$5$salt$" + "0" * 42,
        "$5$salt$" + "0" * 86,
        "$5$salt$" + "z" * 43,
        "$6$rounds=999$salt$" + "0" * 86,
        "$6$rounds=1e3$salt$" + "0" * 86,
        "$6$seventeenletters.$" + "0" * 86,
        "$1$ninechars$" + "0" * 22,
        "$apr1$salt$" + "z" * 22,
        "$P$" + "z" + "0" * 30,
        "$P$" + "/" + "0" * 30,
        firebase(mem_cost=0),
        firebase(rounds=0),
        firebase(base64_signer_key="AAAA"),
        firebase(passwordHash="!"),
        "$fbscrypt$v=2,n=14,r=8,p=1,sk=AAAA$AAAA$AAAA",
        keycloak(type=["x"]),
        keycloak(version="1.3"),
        keycloak(memory=[]),
        keycloak(memory=[64]),
        {"secretData": "[" * 2_000, "credentialData": "{}"},
        {"secretData": "no json", "credentialData": "{}"},
        {"secretData": "[]", "credentialData": "{}"},
        {"secretData": "{}", "credentialData": "{}"},
        {"secretData": 5},
        {"hashedSaltedValue": SIXTEEN},
        "AQAAAAMAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
        "AQAAAAIAAAAyAAAACOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
        "AQAAAAIAAAAyAAAAIOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    ],
)
def test_what_is_not_as_its_format_says_or_proves_nothing_is_malformed(written: Any) -> None:
    assert refusal(written) == MALFORMED


@pytest.mark.parametrize(
    "written",
    [
        argon2("m=262145,t=1,p=1"),
        argon2("m=262144,t=20,p=1"),
        argon2("m=64,t=99999999999,p=1"),
        argon2("m=1024,t=1,p=17"),
        argon2(salt="A" * 400),
        argon2(digest="A" * 400),
        argon2() + "A" * 2_048,
        "$2b$16$" + BCRYPT,
        "$2x$31$" + BCRYPT,
        f"$scrypt$ln=18,r=8,p=1$salt${SIXTEEN}",
        f"$scrypt$ln=99999,r=8,p=1$salt${SIXTEEN}",
        f"$scrypt$ln=14,r=8,p=999$salt${SIXTEEN}",
        f"$scrypt$ln=1,r=1,p=1000000000$salt${SIXTEEN}",
        f"$pbkdf2-sha256$12000000$salt${SIXTEEN}",
        f"$pbkdf2-sha256$4000000$salt${'A' * 100}",  # for each stretch of 32 bytes anew
        "$5$rounds=999999999$salt$" + "0" * 43,
        "$P$R" + "0" * 30,
        pbkdf2(iterations=10**400),
        pbkdf2(salt="s" * 3_000),
        digest(salt="s" * 300, salt_position="after"),
        firebase(mem_cost=18),
        firebase(mem_cost=10**400),
        keycloak(memory=["1000000"]),
        {"secretData": "{" + " " * 2_048 + "}", "credentialData": "{}"},
        "AQAAAAL/////AAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    ],
)
def test_what_would_be_an_attack_on_memory_or_time_is_too_costly(written: Any) -> None:
    assert refusal(written) == COSTLY


def test_what_was_taken_in_before_a_bound_was_lowered_can_still_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_MEMORY", 64 * 1024 - 1)
    assert refusal(argon2()) == COSTLY
    assert read(argon2()).cost.memory == 64 * 1024


@pytest.mark.parametrize(
    "written",
    [
        argon2("m=102400,t=2,p=8"),  # Django
        argon2("m=65536,t=3,p=4"),  # argon2-cffi
        "$2b$15$" + BCRYPT,
        f"$scrypt$ln=16,r=8,p=1$salt${SIXTEEN}",  # passlib
        f"scrypt:32768:8:1$salt${'00' * 64}",  # Werkzeug
        f"pbkdf2_sha256$1500000$salt${'A' * 43}=",  # Django
        "$6$rounds=656000$salt$" + "0" * 86,  # passlib
        "$P$D" + "0" * 30,  # phpass with 2 ** 15
        {"hashedSaltedValue": "A" * 86, "salt": SIXTEEN, "hashIterations": 210_000, "algorithm": "pbkdf2-sha512"},
    ],
)
def test_what_others_ask_for_by_default_is_affordable(written: Any) -> None:
    assert recognise(written).cost.milliseconds <= limits.MOST_MILLISECONDS


BEGINNINGS = [
    *(
        "$argon2id$v=19$m=64,t=1,p=1$",
        "argon2$argon2id$",
        "$2b$04$",
        "bcrypt$$2b$04$",
        "bcrypt_sha256$$2b$",
        "$wp$2y$04$",
    ),
    *("$scrypt$ln=4,r=8,p=1$", "scrypt$16$salt$8$1$", "scrypt:16:8:1$", "$fbscrypt$v=1,n=4,r=8,p=1,ss=,sk="),
    *("$pbkdf2$9$", "$pbkdf2-sha256$9$", "pbkdf2_sha256$9$", "pbkdf2:sha256:9$", "AQAAAA", "A"),
    *("$5$rounds=1000$", "$6$", "$1$", "$apr1$", "$P$5", "$H$7"),
    *("{SSHA}", "{MD5}", "{CRYPT}$6$", "md5$", "sha256$", "$salted-sha1$", "$hmac-md5$"),
]
NAMES = ["format", "hash", "salt", "salt_encoding", "salt_position", "iterations", "n", "r", "p", "type", "secretData"]
NAMES += [
    "credentialData",
    "hashedSaltedValue",
    "hashIterations",
    "algorithm",
    "additionalParameters",
    "value",
    "memory",
]
NAMES += ["passwordHash", "base64_signer_key", "base64_salt_separator", "rounds", "mem_cost", "version", "parallelism"]
WORDS = [
    "md5",
    "sha512",
    "scrypt",
    "pbkdf2_sha1",
    "firebase_scrypt",
    "pbkdf2",
    "argon2",
    "id",
    "1.3",
    "password",
    "before",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*WORDS, SIXTEEN, "16"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner) | inner.map(json.dumps)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        "".join, st.tuples(st.sampled_from(BEGINNINGS) | st.just(""), st.text() | st.from_regex(r"[$A-Za-z0-9./=]*"))
    )
)
@example("{CRYPT}" * 290)
def test_no_text_makes_anything_else_happen(written: str) -> None:
    expect_known_or_refused(written)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([written for written in WRITTEN if isinstance(written, str)]), st.data())
def test_no_hash_that_was_tampered_with_makes_anything_else_happen(written: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(written)))
    end = data.draw(st.integers(start, min(start + 4, len(written))))
    instead = data.draw(st.text(max_size=3) | st.text("0123456789$,=./", max_size=4))
    expect_known_or_refused(written[:start] + instead + written[end:])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), JSON) | JSON)
def test_no_object_makes_anything_else_happen(written: object) -> None:
    expect_known_or_refused(written)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([written for written in WRITTEN if isinstance(written, dict)]), st.sampled_from(NAMES), JSON)
def test_no_object_that_was_tampered_with_makes_anything_else_happen(
    written: dict[str, object], name: str, value: object
) -> None:
    expect_known_or_refused({**written, name: value})


def expect_known_or_refused(written: Any) -> None:
    try:
        known = recognise(written)
    except UnusableHash as refused:
        code = refused.code
    else:
        expect_one_spelling_and_an_answer(known)
        return
    assert code in {UNKNOWN, MALFORMED, COSTLY}


def expect_one_spelling_and_an_answer(known: KnownHash) -> None:
    assert recognise(known.encoded).encoded == known.encoded
    if known.cost.milliseconds >= 20:
        return
    for password in (b"", "größer".encode(), b"\0", b"\xff" * 5_000):
        assert known.matches(password) in {True, False}


def refusal(written: Any) -> str:
    with pytest.raises(UnusableHash) as refused:
        recognise(written)
    assert refused.value.detail
    return refused.value.code
