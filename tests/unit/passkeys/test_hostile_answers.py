"""Each thing that can be wrong with an answer, alone, and what it is refused for.

What is said in a wrong way is signed in the right one, unless it is the signature that is wrong.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from webauthn.helpers import encode_cbor

from application.ports.passkeys import PasskeyFault, PasskeyRefused
from tests.authenticator import EDDSA, ES256, RS256, KeyPair, SoftwareAuthenticator, encoded, key_pair
from tests.unit.passkeys.ceremonies import checked_assertion, checked_creation, created, got

FAULT = PasskeyFault
ZERO = encoded(bytes(32))


def client_data(**members: object) -> dict[str, object]:
    return {"client_data": members}


def rewritten(what: str, rewrite: Callable[[bytes], bytes]) -> dict[str, object]:
    return {f"rewrite_{what}": rewrite}


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def swap(content: bytes) -> bytes:
        assert content.count(old) == 1
        return content.replace(old, new)

    return swap


def key(**changes: Any) -> dict[str, object]:
    """A passkey whose public key has other members; names are those of COSE keys."""
    names = {"kind": 1, "algorithm": 3, "curve": -1, "x": -2, "y": -3, "id": 2}
    pair = key_pair(ES256)
    members = pair.cose | {names[name]: value for name, value in changes.items()}
    return {"key": KeyPair({name: value for name, value in members.items() if value is not None}, pair.sign)}


def rsa_key(**changes: bytes) -> dict[str, object]:
    pair = key_pair(RS256)
    return {
        "key": KeyPair(
            pair.cose | {{"modulus": -1, "exponent": -2}[name]: changes[name] for name in changes}, pair.sign
        )
    }


MODULUS: bytes = key_pair(RS256).cose[-1]

# What both ceremonies are refused for alike.
EITHER: dict[str, tuple[dict[str, object], PasskeyFault]] = {
    "a ceremony that is none": (client_data(type="payment.get"), FAULT.CEREMONY),
    "no ceremony": (client_data(type=None), FAULT.CEREMONY),
    "another challenge": (client_data(challenge=ZERO), FAULT.CHALLENGE),
    "a padded challenge": (rewritten("client_data", swapped(b'Hh8"', b'Hh8="')), FAULT.CHALLENGE),
    "a challenge with bits left over": (rewritten("client_data", swapped(b'Hh8"', b'Hh9"')), FAULT.CHALLENGE),
    "an empty challenge": (client_data(challenge=""), FAULT.CHALLENGE),
    "no challenge": (client_data(challenge=None), FAULT.CHALLENGE),
    "another origin": ({"origin": "https://accounts.example.com.evil.example"}, FAULT.ORIGIN),
    "a domain below": ({"origin": "https://evil.accounts.example.com"}, FAULT.ORIGIN),
    "the domain above": ({"origin": "https://example.com"}, FAULT.ORIGIN),
    "without TLS": ({"origin": "http://accounts.example.com"}, FAULT.ORIGIN),
    "another port": ({"origin": "https://accounts.example.com:8443"}, FAULT.ORIGIN),
    "an origin in capitals": ({"origin": "https://ACCOUNTS.example.com"}, FAULT.ORIGIN),
    "an origin with a slash": ({"origin": "https://accounts.example.com/"}, FAULT.ORIGIN),
    "an origin of an app": ({"origin": "android:apk-key-hash:AAAA"}, FAULT.ORIGIN),
    "no origin": ({"origin": "null"}, FAULT.ORIGIN),
    "a list of origins": (client_data(origin=["https://accounts.example.com"]), FAULT.ORIGIN),
    "in a foreign frame": (client_data(crossOrigin=True), FAULT.CROSS_ORIGIN),
    "in a frame of who knows": (client_data(crossOrigin="false"), FAULT.CROSS_ORIGIN),
    "in the frame of a page": (client_data(topOrigin="https://evil.example"), FAULT.CROSS_ORIGIN),
    "in the frame of a page of ours": (client_data(topOrigin="https://accounts.example.com"), FAULT.CROSS_ORIGIN),
    "client data with a name twice": (
        rewritten("client_data", lambda content: content[:-1] + b',"origin":"https://accounts.example.com"}'),
        FAULT.MALFORMED,
    ),
    "client data in UTF-16": (
        rewritten("client_data", lambda content: content.decode().encode("utf-16")),
        FAULT.MALFORMED,
    ),
    "client data with a byte order mark": (
        rewritten("client_data", lambda content: b"\xef\xbb\xbf" + content),
        FAULT.MALFORMED,
    ),
    "client data that is no text": (
        rewritten("client_data", lambda content: content[:-1] + b',"more":"\xff"}'),
        FAULT.MALFORMED,
    ),
    "client data with what is no number": (client_data(more=float("nan")), FAULT.MALFORMED),
    "client data with something behind": (rewritten("client_data", lambda content: content + b"{}"), FAULT.MALFORMED),
    "client data that is a list": (rewritten("client_data", lambda content: b"[%s]" % content), FAULT.MALFORMED),
    "client data that is nested deeply": (rewritten("client_data", lambda _: b"[" * 4096), FAULT.MALFORMED),
    "no client data": (rewritten("client_data", lambda _: b""), FAULT.MALFORMED),
    "too much client data": (client_data(more="x" * 4096), FAULT.TOO_LARGE),
    "another relying party": ({"rp_id": "evil.example"}, FAULT.RELYING_PARTY),
    "the relying party above": ({"rp_id": "example.com"}, FAULT.RELYING_PARTY),
    "nobody there": ({"user_present": False}, FAULT.USER_ABSENT),
    "backed up without being able to": ({"backup_eligible": False}, FAULT.BACKUP_STATE),
    "authenticator data cut short": (rewritten("authenticator_data", lambda data: data[:36]), FAULT.MALFORMED),
    "no authenticator data": (rewritten("authenticator_data", lambda _: b""), FAULT.MALFORMED),
    "authenticator data with something behind": (
        rewritten("authenticator_data", lambda data: data + b"\0"),
        FAULT.MALFORMED,
    ),
    "extensions that are not there": (
        rewritten("authenticator_data", lambda data: data[:32] + bytes([data[32] | 128]) + data[33:]),
        FAULT.MALFORMED,
    ),
    "extensions that are no map": ({"extensions": encode_cbor([])}, FAULT.MALFORMED),
    "extensions with something behind": ({"extensions": encode_cbor({}) + b"\0"}, FAULT.MALFORMED),
    "extensions with a name twice": ({"extensions": bytes.fromhex("a2616101616102")}, FAULT.MALFORMED),
    "no id": ({"credential_id": b""}, FAULT.MALFORMED),
}

CREATIONS: dict[str, tuple[dict[str, object], PasskeyFault]] = EITHER | {
    "the other ceremony": (client_data(type="webauthn.get"), FAULT.CEREMONY),
    "no credential": ({"has_credential": False}, FAULT.MALFORMED),
    "a credential cut short": (rewritten("authenticator_data", lambda data: data[:-1]), FAULT.MALFORMED),
    "an id that is longer than the rest": (
        rewritten("authenticator_data", lambda data: data[:53] + b"\xff\xff" + data[55:]),
        FAULT.MALFORMED,
    ),
    "another id within": (
        rewritten("authenticator_data", lambda data: data[:55] + bytes(32) + data[87:]),
        FAULT.OTHER_PASSKEY,
    ),
    "an id that is too long": ({"credential_id": bytes(1024)}, FAULT.TOO_LARGE),
    "an algorithm that was not offered": (key(algorithm=-36), FAULT.ALGORITHM),
    "RSA with SHA-1": (key(algorithm=-65535), FAULT.ALGORITHM),
    "an algorithm that is none": (key(algorithm="ES256"), FAULT.ALGORITHM),
    "no algorithm": (key(algorithm=None), FAULT.ALGORITHM),
    "the algorithm of another kind of key": (key(algorithm=EDDSA), FAULT.PUBLIC_KEY),
    "another kind of key": (key(kind=3), FAULT.PUBLIC_KEY),
    "another curve": (key(curve=2), FAULT.PUBLIC_KEY),
    "a curve that is true": (key(curve=True), FAULT.PUBLIC_KEY),
    "a short coordinate": (key(x=bytes(31)), FAULT.PUBLIC_KEY),
    "a long coordinate": (key(x=b"\0" + key_pair(ES256).cose[-2]), FAULT.PUBLIC_KEY),
    "half a point": (key(y=None), FAULT.PUBLIC_KEY),
    "a compressed point": (key(y=True), FAULT.PUBLIC_KEY),
    "a point that is not on the curve": (key(y=bytes(32)), FAULT.PUBLIC_KEY),
    "a key with more to it": (key(id=b"more"), FAULT.PUBLIC_KEY),
    "a short modulus": (rsa_key(modulus=MODULUS[:128]), FAULT.PUBLIC_KEY),
    "a long modulus": (rsa_key(modulus=MODULUS * 3), FAULT.PUBLIC_KEY),
    "a modulus that begins with nothing": (rsa_key(modulus=b"\0" + MODULUS), FAULT.PUBLIC_KEY),
    "an exponent that does nothing": (rsa_key(exponent=b"\1"), FAULT.PUBLIC_KEY),
    "an exponent of olden times": (rsa_key(exponent=b"\3"), FAULT.PUBLIC_KEY),
    "an exponent that takes time": (rsa_key(exponent=MODULUS[:-1] + b"\1"), FAULT.PUBLIC_KEY),
    # What nobody checks is not believed, and what was not asked for not taken.
    "an attestation by the passkey itself": (
        {"format": "packed", "statement": {"alg": ES256, "sig": b"unchecked"}},
        FAULT.ATTESTATION,
    ),
    **{
        f"an attestation of {name}": ({"format": name, "statement": {"x5c": [b"a certificate"]}}, FAULT.ATTESTATION)
        for name in ("packed", "fido-u2f", "tpm", "apple", "android-key", "android-safetynet", "compound", "", "None")
    },
    "an attestation that is empty": ({"format": "packed"}, FAULT.ATTESTATION),
    "an attestation that is none and something": ({"statement": {"more": 1}}, FAULT.ATTESTATION),
    "a format that is no text": ({"format": b"none"}, FAULT.MALFORMED),
    "a statement that is no map": ({"statement": []}, FAULT.MALFORMED),
    "something behind the attestation": (
        rewritten("attestation_object", lambda content: content + b"\0"),
        FAULT.MALFORMED,
    ),
    "an attestation cut short": (rewritten("attestation_object", lambda content: content[:-1]), FAULT.MALFORMED),
    "no attestation": (rewritten("attestation_object", lambda _: b""), FAULT.MALFORMED),
    "an attestation that is a list": (
        rewritten("attestation_object", lambda content: b"\x81" + content),
        FAULT.MALFORMED,
    ),
    "an attestation in a tag": (
        rewritten("attestation_object", lambda content: b"\xd9\xd9\xf7" + content),
        FAULT.MALFORMED,
    ),
    "too large an attestation": ({"statement": {"x5c": [bytes(17_000)]}, "format": "packed"}, FAULT.TOO_LARGE),
}

ASSERTIONS: dict[str, tuple[dict[str, object], PasskeyFault]] = EITHER | {
    "the other ceremony": (client_data(type="webauthn.create"), FAULT.CEREMONY),
    "nobody verified": ({"user_verified": False}, FAULT.USER_NOT_VERIFIED),
    "a credential once more": ({"has_credential": True}, FAULT.MALFORMED),
    "another passkey": ({"credential_id": bytes(32)}, FAULT.OTHER_PASSKEY),
    "another user": ({"user_handle": b"the handle of Eve"}, FAULT.USER_HANDLE),
    "no user": ({"user_handle": None}, FAULT.USER_HANDLE),
    "a user without a name": ({"user_handle": b""}, FAULT.MALFORMED),
    "a user with a long name": ({"user_handle": bytes(65)}, FAULT.TOO_LARGE),
    "another key": ({"key": key_pair(ES256, 1)}, FAULT.SIGNATURE),
    "a key of another kind": ({"key": key_pair(EDDSA)}, FAULT.SIGNATURE),
    "no signature": ({"key": KeyPair({}, lambda _: b"")}, FAULT.SIGNATURE),
    "a signature that is too long": ({"key": KeyPair({}, lambda _: bytes(1025))}, FAULT.TOO_LARGE),
    "no longer one that can be backed up": ({"backup_eligible": False, "backed_up": False}, FAULT.BACKUP_CHANGED),
    "a counter that stands still": ({"sign_count": 7}, FAULT.COUNTER),
    "a counter that goes back": ({"sign_count": 6}, FAULT.COUNTER),
    "a counter that is gone": ({"sign_count": 0}, FAULT.COUNTER),
    "too much authenticator data": ({"extensions": encode_cbor({"more": bytes(5000)})}, FAULT.TOO_LARGE),
}


@pytest.mark.parametrize(("changes", "fault"), CREATIONS.values(), ids=CREATIONS)
def test_a_hostile_creation_is_refused(changes: dict[str, Any], fault: PasskeyFault) -> None:
    """PK-02, PK-09, incident 10."""
    with pytest.raises(PasskeyRefused) as refused:
        checked_creation(created(SoftwareAuthenticator(**changes)))
    assert refused.value.reason == fault


@pytest.mark.parametrize(("changes", "fault"), ASSERTIONS.values(), ids=ASSERTIONS)
def test_a_hostile_assertion_is_refused(changes: dict[str, Any], fault: PasskeyFault) -> None:
    """PK-02, PK-03, PK-05, PK-06."""
    genuine = SoftwareAuthenticator(sign_count=7)
    passkey = checked_creation(created(genuine))
    with pytest.raises(PasskeyRefused) as refused:
        checked_assertion(got(replace(genuine, **({"sign_count": 8} | changes))), passkey)
    assert refused.value.reason == fault


def test_pk_06_nobody_but_the_passkey_can_say_that_it_was_copied() -> None:
    genuine = SoftwareAuthenticator(sign_count=7)
    passkey = checked_creation(created(genuine))
    for changes in ({"sign_count": 3}, {"backup_eligible": False, "backed_up": False}):
        forged = replace(genuine, key=key_pair(ES256, 1), **changes)
        with pytest.raises(PasskeyRefused, match=FAULT.SIGNATURE):
            checked_assertion(got(forged), passkey)
