"""There is one way to write an answer down, and only that is read."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from application.ports.passkeys import PasskeyFault, PasskeyRefused
from tests.authenticator import SoftwareAuthenticator, encoded
from tests.unit.passkeys.ceremonies import checked_assertion, checked_creation, created, got

FAULT = PasskeyFault


def padded(text: str) -> str:
    return text + "=" * (-len(text) % 4 or 4)


def left_over(text: str) -> str:
    """The same bytes with another letter at the end; where there is none, something else that is wrong."""
    return text[:-1] + chr(ord(text[-1]) + 1) if len(text) % 4 else text + "A"


SPELLINGS: dict[str, tuple[Callable[[Any], object], PasskeyFault]] = {
    "missing": (lambda _: None, FAULT.MALFORMED),
    "no text": (lambda text: [text], FAULT.MALFORMED),
    "a number": (lambda _: 1, FAULT.MALFORMED),
    "padded": (padded, FAULT.MALFORMED),
    "with bits left over": (left_over, FAULT.MALFORMED),
    "with a blank": (lambda text: text + " ", FAULT.MALFORMED),
    "with a new line within": (lambda text: text[:4] + "\n" + text[4:], FAULT.MALFORMED),
    "in the other alphabet": (lambda text: "+/" + text[2:], FAULT.MALFORMED),
    "with a letter that is none": (lambda text: text[:-1] + "é", FAULT.MALFORMED),
    "with half a letter": (lambda text: text[:-1] + "\ud800", FAULT.MALFORMED),
    "huge": (lambda text: text + "A" * 24_000, FAULT.TOO_LARGE),
    "larger than anything": (lambda text: text + "A" * 40_000, FAULT.TOO_LARGE),
}


def respelt(answer: dict[str, Any], member: str, spell: Callable[[Any], object]) -> dict[str, Any]:
    answer = deepcopy(answer)
    holder = answer["response"] if member in answer["response"] else answer
    holder[member] = spell(holder[member])
    if member == "id":
        answer["rawId"] = answer["id"]
    return answer


@pytest.mark.parametrize(("spell", "fault"), SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("member", ["id", "clientDataJSON", "attestationObject"])
def test_a_creation_is_spelt_in_one_way(member: str, spell: Callable[[Any], object], fault: PasskeyFault) -> None:
    with pytest.raises(PasskeyRefused) as refused:
        checked_creation(respelt(created(SoftwareAuthenticator()), member, spell))
    assert refused.value.reason == fault


@pytest.mark.parametrize(("spell", "fault"), SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("member", ["id", "clientDataJSON", "authenticatorData", "signature", "userHandle"])
def test_an_assertion_is_spelt_in_one_way(member: str, spell: Callable[[Any], object], fault: PasskeyFault) -> None:
    genuine = SoftwareAuthenticator()
    passkey = checked_creation(created(genuine))
    answer = respelt(got(genuine), member, spell)
    expected = FAULT.USER_HANDLE if (member, answer["response"]["userHandle"]) == ("userHandle", None) else fault
    with pytest.raises(PasskeyRefused) as refused:
        checked_assertion(answer, passkey)
    assert refused.value.reason == expected


@pytest.mark.parametrize("value", ["x" * 33_000, [[0] * 11_000], {"é" * 6_000: None}])
def test_what_nobody_reads_is_not_taken_either_if_it_is_large(value: object) -> None:
    answer = created(SoftwareAuthenticator())
    with pytest.raises(PasskeyRefused, match=FAULT.TOO_LARGE):
        checked_creation(answer | {"clientExtensionResults": value})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "password"),
        ("type", None),
        ("rawId", encoded(bytes(32))),
        ("rawId", None),
        ("rawId", padded(encoded(SoftwareAuthenticator().credential_id))),
        ("response", None),
        ("response", []),
        ("response", json.dumps({})),
    ],
)
def test_what_is_around_an_answer_is_as_it_should_be(member: str, value: object) -> None:
    genuine = SoftwareAuthenticator()
    passkey = checked_creation(created(genuine))
    for check, answer in (
        (checked_creation, created(genuine)),
        (lambda answer: checked_assertion(answer, passkey), got(genuine)),
    ):
        with pytest.raises(PasskeyRefused, match=FAULT.MALFORMED):
            check(answer | {member: value})
