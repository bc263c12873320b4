"""PK-04, incident 61: no bit of an answer can be changed, as far as it is bound to anything."""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from application.ports.passkeys import PasskeyRefused
from domain.mfa.passkey import PasskeyPublicKey
from tests.authenticator import EDDSA, ES256, RS256, SoftwareAuthenticator, encoded, key_pair
from tests.unit.passkeys.ceremonies import checked_assertion, checked_creation, created, got

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def flipped(text: str) -> Iterator[tuple[int, str]]:
    """The base64url of the same bytes with one bit changed, each in turn, and which it is."""
    content = decoded(text)
    for bit in range(len(content) * 8):
        yield bit, encoded((int.from_bytes(content) ^ 1 << (len(content) * 8 - 1 - bit)).to_bytes(len(content)))


def relettered(text: str) -> Iterator[tuple[int, str]]:
    """The text with one letter changed, each in turn, to its neighbour in the alphabet."""
    for position, letter in enumerate(text):
        other = LETTERS[LETTERS.index(letter) ^ 1]
        yield position, text[:position] + other + text[position + 1 :]


def changed(
    answer: dict[str, Any], members: tuple[str, ...], change: Callable[[str], Iterator[tuple[int, str]]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The answer with all these members changed alike."""
    holder = answer["response"] if members[0] in answer["response"] else answer
    for place, text in change(holder[members[0]]):
        other = deepcopy(answer)
        (other["response"] if holder is answer["response"] else other).update(dict.fromkeys(members, text))
        yield place, other


def places_taken(answers: Iterator[tuple[int, dict[str, Any]]], check: Callable[[dict[str, Any]], object]) -> set[int]:
    """Where a change was not noticed."""
    taken = set()
    for place, answer in answers:
        try:
            check(answer)
        except PasskeyRefused:
            continue
        taken.add(place)
    return taken


@pytest.mark.parametrize("change", [flipped, relettered])
@pytest.mark.parametrize(
    "members",
    [
        ("id",),
        ("rawId",),
        ("id", "rawId"),
        ("clientDataJSON",),
        ("authenticatorData",),
        ("signature",),
        ("userHandle",),
    ],
)
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_no_bit_of_an_assertion_can_be_changed(
    algorithm: int, members: tuple[str, ...], change: Callable[[str], Iterator[tuple[int, str]]]
) -> None:
    genuine = SoftwareAuthenticator(key=key_pair(algorithm), sign_count=7)
    passkey = replace(checked_creation(created(genuine)), sign_count=6)
    answer = got(genuine)
    assert checked_assertion(answer, passkey).sign_count == 7
    assert places_taken(changed(answer, members, change), lambda answer: checked_assertion(answer, passkey)) == set()


@pytest.mark.parametrize("change", [flipped, relettered])
@pytest.mark.parametrize("members", [("id",), ("rawId",), ("id", "rawId"), ("clientDataJSON",)])
def test_no_bit_around_a_creation_can_be_changed(
    members: tuple[str, ...], change: Callable[[str], Iterator[tuple[int, str]]]
) -> None:
    # Without the one member that may be missing: nothing is signed here, and its name could be changed.
    genuine = SoftwareAuthenticator(rewrite_client_data=lambda content: content.replace(b',"crossOrigin":false', b""))
    answer = created(genuine)
    assert checked_creation(answer).credential_id == genuine.credential_id
    assert places_taken(changed(answer, members, change), checked_creation) == set()


def test_of_a_new_passkey_nothing_can_be_changed_but_what_only_it_can_say() -> None:
    """Nothing is signed here, for no attestation is asked for; the challenge and the secure connection stand for it."""
    genuine = SoftwareAuthenticator(backed_up=False)
    answer = created(genuine)
    passkey = checked_creation(answer)
    start = decoded(answer["response"]["attestationObject"]).index(decoded(answer["response"]["authenticatorData"])) * 8
    unbound = {
        start + 32 * 8 + 2: "a reserved flag",
        start + 32 * 8 + 3: "backed up",
        start + 32 * 8 + 5: "user verified",
        start + 32 * 8 + 6: "a reserved flag",
        start + 32 * 8 + 4: "can be backed up",
        **dict.fromkeys(range(start + 33 * 8, start + 37 * 8), "counter"),
        **dict.fromkeys(range(start + 37 * 8, start + 53 * 8), "kind of authenticator"),
    }
    taken: dict[int, PasskeyPublicKey] = {}
    for place, other in changed(answer, ("attestationObject",), flipped):
        assert not places_taken(iter([(place, other)]), checked_creation) - set(unbound), place
        if place in unbound:
            taken[place] = checked_creation(other)
    assert set(taken) == set(unbound)
    for other_passkey in taken.values():
        assert (other_passkey.credential_id, other_passkey.public_key) == (passkey.credential_id, passkey.public_key)
