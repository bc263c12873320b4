"""PW-01 to PW-05."""

import unicodedata

import pytest

from adapters.crypto.common_passwords import CommonPasswords
from adapters.mail.email_parser import StrictEmailParser
from domain.users.password import Password
from domain.users.password_policy import PasswordPolicy, PasswordRejected

ADDRESS = StrictEmailParser().parse("augusta.king@lovelace.example.com")
POLICY = PasswordPolicy(is_common=CommonPasswords.shipped().includes)


def reasons(password: str, policy: PasswordPolicy = POLICY, display_name: str | None = "Ada Byron") -> set[str]:
    try:
        policy.accept(password, email=ADDRESS, display_name=display_name)
    except PasswordRejected as refusal:
        return {violation.code for violation in refusal.violations}
    return set()


@pytest.mark.parametrize("character", ["x", "é", "漢", "🗝"])
@pytest.mark.parametrize(
    ("length", "found"),
    [
        (14, {"password_too_short"}),
        (15, set()),
        (64, set()),
        (256, set()),
        (257, {"password_too_long"}),
    ],
)
def test_pw_01_length_is_counted_in_code_points(character: str, length: int, found: set[str]) -> None:
    password = (character + "qwrtzpk") * 40
    assert reasons(password[:length]) == found


def test_pw_01_nothing_is_cut_off() -> None:
    password = "x" * 199 + "a" + "y" * 56
    accepted = POLICY.accept(password, email=ADDRESS, display_name=None)
    assert accepted.text == password


def test_pw_02_spellings_of_one_text_are_one_password() -> None:
    composed = unicodedata.normalize("NFC", "é" * 15)
    decomposed = unicodedata.normalize("NFD", "é" * 15)
    assert composed != decomposed
    assert Password(composed) == Password(decomposed)
    assert reasons(decomposed) == set()
    assert reasons(unicodedata.normalize("NFD", "é" * 8)) == {"password_too_short"}


def test_pw_02_a_space_at_the_edge_is_part_of_the_password() -> None:
    assert Password(" harbour") != Password("harbour")
    assert Password("Harbour") != Password("harbour")


@pytest.mark.parametrize("character", ["\0", "\ud800", "\udfff"])  # noqa: PT014  (no two of them are the same)
def test_pw_02_what_cannot_be_stored_is_refused(character: str) -> None:
    assert reasons(f"a quiet harbour {character}") == {"password_unreadable"}


@pytest.mark.parametrize("password", ["a quiet harbour at dawn", "correcthorsesbatteries", "999888777666555444333"])
def test_pw_03_there_are_no_rules_of_composition(password: str) -> None:
    assert reasons(password) == set()


@pytest.mark.parametrize(
    "password",
    ["everythinginmoderation", "trustnoonebutyourself", "EVERYTHINGINMODERATION", "SUBMARINOnuclear"],
)
def test_pw_04_common_passwords_are_refused(password: str) -> None:
    assert reasons(password) == {"password_blocklisted"}


def test_pw_04_the_list_is_long_and_knows_what_it_has() -> None:
    shipped = CommonPasswords.shipped()
    assert len(shipped) > 200_000
    assert list(shipped) == sorted(set(shipped))
    assert shipped.includes("password123")
    assert not shipped.includes("a quiet harbour at dawn")


def test_pw_04_a_list_can_be_built_from_words() -> None:
    words = CommonPasswords.of(["too few", "long enough", "cafe\u0301 du nord"])
    assert len(words) == 2
    assert words.includes("long enough")
    assert words.includes("café du nord")
    assert not words.includes("long enough ")


@pytest.mark.parametrize(
    "password",
    [
        "Hallporter2026!",
        "hall-porter-hall-porter",
        "augusta.king@lovelace.example.com",
        "AUGUSTA king 1234",
        "lovelacelovelace",
        "Lovelace.1234567",
        "ByronByronByronByron",
        "Ada Byron 1815 !!",
        "Hallporter12345678",
        "hallporterpassword",
        "Ａｕｇｕｓｔａ.Ｋｉｎｇ.2026",
    ],
)
def test_pw_05_words_from_the_context_do_not_make_a_password(password: str) -> None:
    assert reasons(password) == {"password_guessable"}


def test_pw_05_a_context_word_within_a_real_passphrase_is_fine() -> None:
    assert reasons("augusta goes to the harbour") == set()


def test_all_reasons_are_named_at_once_and_none_repeats_the_password() -> None:
    with pytest.raises(PasswordRejected) as refusal:
        POLICY.accept("hallporter", email=ADDRESS, display_name=None, field="new_password")
    assert {violation.code for violation in refusal.value.violations} == {"password_too_short", "password_guessable"}
    assert {violation.field for violation in refusal.value.violations} == {"new_password"}
    assert "hallporter" not in str(refusal.value)


@pytest.mark.parametrize("min_length", [7, 257])
def test_a_policy_below_the_floor_cannot_be_made(min_length: int) -> None:
    with pytest.raises(ValueError, match="min_length"):
        PasswordPolicy(is_common=lambda _: False, min_length=min_length)


def test_a_shorter_minimum_can_be_set() -> None:
    policy = PasswordPolicy(is_common=CommonPasswords.shipped().includes, min_length=8)
    assert reasons("kzwvrtpq", policy) == set()
    assert reasons("password1", policy) == {"password_blocklisted"}


def test_passwords_never_print() -> None:
    assert "harbour" not in repr(Password("a quiet harbour"))
