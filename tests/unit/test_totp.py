"""Codes of authenticator apps."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.mfa.totp import code_at, matching_step, otpauth_uri, secret_text, step_at

# RFC 6238, appendix B, for SHA-1.
RFC_SECRET = b"12345678901234567890"
RFC_VECTORS = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]
# RFC 4226, appendix D.
HOTP_VECTORS = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "code"), RFC_VECTORS)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, step_at(moment), digits=8) == code
    assert code_at(RFC_SECRET, step_at(moment)) == code[-6:]


def test_codes_are_those_of_rfc_4226() -> None:
    assert [code_at(RFC_SECRET, counter) for counter in range(10)] == HOTP_VECTORS


@pytest.mark.parametrize("seconds_into_the_step", [0, 13, 29])
def test_mf_04_a_code_is_good_for_its_own_step_and_the_ones_beside_it(seconds_into_the_step: int) -> None:
    """The server's clock, from 61 seconds before the code was shown until 61 seconds after that."""
    shown = NOON + timedelta(seconds=seconds_into_the_step)
    code = code_at(RFC_SECRET, step_at(shown))
    for offset in range(-61, 62):
        server = shown + timedelta(seconds=offset)
        expected = step_at(shown) if abs(step_at(server) - step_at(shown)) <= 1 else None
        assert matching_step(RFC_SECRET, code, at=server) == expected, offset
    assert matching_step(RFC_SECRET, code, at=shown - timedelta(seconds=61)) is None
    assert matching_step(RFC_SECRET, code, at=shown + timedelta(seconds=61)) is None


def test_a_step_that_was_used_and_those_before_it_match_nothing() -> None:
    step = step_at(NOON)
    for used in (step, step + 1):
        assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step), at=NOON, after=used) is None
    assert matching_step(RFC_SECRET, code_at(RFC_SECRET, step), at=NOON, after=step - 1) == step


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "12345²", "1 2 3"])
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert matching_step(RFC_SECRET, typed, at=NOON) is None


def test_blanks_are_passed_over_as_apps_show_codes_in_two_groups() -> None:
    code = code_at(RFC_SECRET, step_at(NOON))
    assert matching_step(RFC_SECRET, f" {code[:3]} {code[3:]}\n", at=NOON) == step_at(NOON)


def test_the_uri_says_whose_secret_it_is() -> None:
    uri = urlsplit(otpauth_uri(RFC_SECRET, issuer="Grand Hotel: Łódź", account="ada+1@example.com"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path == "/Grand%20Hotel%3A%20%C5%81%C3%B3d%C5%BA:ada%2B1@example.com"
    assert "+" not in uri.query
    assert parse_qs(uri.query) == {"secret": [secret_text(RFC_SECRET)], "issuer": ["Grand Hotel: Łódź"]}
    assert secret_text(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
