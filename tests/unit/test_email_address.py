"""EM-06, fault 38: one canonical form, the same everywhere."""

from collections.abc import Callable

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mail.email_parser import PLAIN, SPECIAL_TOP_LEVELS, StrictEmailParser, parse_by_library
from domain.errors import InvalidFields
from domain.users.email_address import EmailAddress

parser = StrictEmailParser()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@ＥＸＡＭＰＬＥ.com", "ada@example.com"),
        ("ada@BÜCHER.example.com", "ada@bücher.example.com"),
    ],
)
def test_spellings_of_one_mailbox_are_equal(one: str, other: str) -> None:
    assert parser.parse(one) == parser.parse(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada+news@example.com", "ada@example.com"),
        ("a.da@example.com", "ada@example.com"),
        ("ada@faß.example.com", "ada@fass.example.com"),
        ("ada@exаmple.com", "ada@example.com"),  # the second has a Latin a, the first a Cyrillic one
    ],
)
def test_different_mailboxes_are_not_equal(one: str, other: str) -> None:
    assert parser.parse(one) != parser.parse(other)


def test_the_display_form_keeps_the_capitals_of_the_local_part() -> None:
    assert parser.parse("Ada.Lovelace@Example.com").display == "Ada.Lovelace@example.com"
    assert str(parser.parse("Ada.Lovelace@Example.com")) == "Ada.Lovelace@example.com"


def test_top_level_domains_that_nobody_has_are_those_of_the_library() -> None:
    assert {name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES} == SPECIAL_TOP_LEVELS


def test_an_address_knows_its_two_parts() -> None:
    address = parser.parse("Ada@Example.com")
    assert (address.local_part, address.domain) == ("ada", "example.com")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example",
        "ada@@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\0",
        " ada@example.com",
        "ada @example.com",
        '"ada"@example.com',
        "ada@[127.0.0.1]",
        "Ada <ada@example.com>",
        "ada\u202e@example.com",
        "ada\u200b@example.com",
        "İda@example.com",
        "ada@exa\ud800mple.com",
        "a" * 65 + "@example.com",
        "a" * 64 + "@" + ("b" * 60 + ".") * 4 + "com",
        "ada@" + "x" * 10_000,
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """IN-03, IN-04."""
    with pytest.raises(InvalidFields) as refusal:
        parser.parse(text)
    assert [violation.code for violation in refusal.value.violations] == ["invalid_email"]


def test_a_local_part_of_64_characters_is_accepted() -> None:
    assert parser.parse("a" * 64 + "@example.com").local_part == "a" * 64


@given(st.text(max_size=70), st.text(max_size=70))
def test_parsing_a_canonical_form_gives_it_back(local: str, domain: str) -> None:
    try:
        address = parser.parse(f"{local}@{domain}")
    except InvalidFields:
        return
    again = parser.parse(address.canonical)
    assert again.canonical == address.canonical == parser.parse(address.display).canonical


@given(st.emails())
def test_case_never_makes_a_difference(text: str) -> None:
    try:
        address = parser.parse(text)
    except InvalidFields:
        return
    assert parser.parse(text.upper()) == parser.parse(text.lower()) == address


@pytest.mark.parametrize("canonical", ["Ada@example.com", "ada", "a b@example.com", "ä@example.com", "a@b@c"])
def test_no_address_exists_in_another_than_the_canonical_form(canonical: str) -> None:
    with pytest.raises(InvalidFields):
        EmailAddress(canonical=canonical, display=canonical)


# Whatever the short way takes, and what comes close to it.
_nearly_plain = st.from_regex(PLAIN, fullmatch=True) | st.from_regex(
    r"[A-Za-z0-9_+.-]{1,70}@([a-z0-9A-Z-]{1,70}\.){0,4}([a-z0-9]{1,26}|local|test|onion|arpa|xn--p1ai)", fullmatch=True
)


def read(text: str, how: Callable[[str], EmailAddress]) -> tuple[str, str] | None:
    try:
        found = how(text)
    except InvalidFields:
        return None
    return found.canonical, found.display


@settings(max_examples=100)
@given(_nearly_plain)
def test_the_short_way_of_plain_addresses_agrees_with_the_library(text: str) -> None:
    assert read(text, parser.parse) == read(text, parse_by_library if len(text) <= 254 else parser.parse)
