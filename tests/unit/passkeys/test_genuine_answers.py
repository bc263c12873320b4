"""Nobody who does as the standard says is turned away, and what is kept is what was said."""

from typing import Any

import pytest
from webauthn.helpers import encode_cbor

from tests.authenticator import EDDSA, ES256, RS256, SoftwareAuthenticator, encoded, key_pair
from tests.unit.passkeys.ceremonies import (
    CHALLENGE,
    PASSKEYS,
    RP_ID,
    USER,
    checked_assertion,
    checked_creation,
    created,
    got,
)


def test_options_ask_for_what_is_checked() -> None:
    passkey = checked_creation(created(SoftwareAuthenticator()))
    options = PASSKEYS.creation_options(
        challenge=CHALLENGE, user_handle=USER, name="ada@example.com", display_name="Ada", exclude=[passkey]
    )
    descriptor = {
        "type": "public-key",
        "id": encoded(passkey.credential_id),
        "transports": ["hybrid", "internal"],
    }
    assert options == {
        "rp": {"id": RP_ID, "name": "Example"},
        "user": {"id": encoded(USER), "name": "ada@example.com", "displayName": "Ada"},
        "challenge": encoded(CHALLENGE),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in (ES256, EDDSA, RS256)],
        "timeout": 300_000,
        "excludeCredentials": [descriptor],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }
    assert PASSKEYS.request_options(challenge=CHALLENGE, allow=[passkey], user_verification=False) == {
        "challenge": encoded(CHALLENGE),
        "timeout": 300_000,
        "rpId": RP_ID,
        "allowCredentials": [descriptor],
        "userVerification": "preferred",
    }


# What looks odd and is right.
GOOD: dict[str, dict[str, Any]] = {
    "as they are": {},
    "with members of client data that are new": {"client_data": {"other_keys_can_be_added_here": "see the standard"}},
    "with a token binding of old": {"client_data": {"tokenBinding": {"status": "supported"}}},
    "with a token binding that is a text": {"client_data": {"tokenBinding": "unused"}},
    "with extensions that nobody asked for": {
        "extensions": encode_cbor({"credProtect": 2, "hmac-secret": True, "uvm": [[1, -2, 24]], "more": {"a": None}})
    },
    "with reserved flags": {
        "rewrite_authenticator_data": lambda data: data[:32] + bytes([data[32] | 0b100010]) + data[33:]
    },
    "with a name for the kind of authenticator": {"aaguid": bytes(range(16))},
    "with a short id": {"credential_id": b"x"},
    "with a long id": {"credential_id": bytes(range(256)) * 3 + bytes(255)},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_what_the_standard_allows_is_taken(changes: dict[str, Any], algorithm: int) -> None:
    genuine = SoftwareAuthenticator(**({"key": key_pair(algorithm)} | changes))
    passkey = checked_creation(created(genuine))
    assert passkey.credential_id == genuine.credential_id
    assert passkey.public_key == encode_cbor(genuine.key.cose)
    assert passkey.aaguid == ("00010203-0405-0607-0809-0a0b0c0d0e0f" if any(genuine.aaguid) else "")
    assert checked_assertion(got(genuine), passkey).user_verified


def test_crossing_no_origin_need_not_be_said() -> None:
    silent = SoftwareAuthenticator(rewrite_client_data=lambda content: content.replace(b',"crossOrigin":false', b""))
    passkey = checked_creation(created(silent))
    assert checked_assertion(got(silent), passkey).user_verified


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["internal", "hybrid"], ("hybrid", "internal")),
        (["usb", "usb", "by post", 1, None, {}], ("usb",)),
        ("usb", ()),
        (None, ()),
        ({"usb": 1}, ()),
    ],
)
def test_ways_to_reach_an_authenticator_are_kept_if_they_are_known(said: object, kept: tuple[str, ...]) -> None:
    answer = created(SoftwareAuthenticator())
    answer["response"]["transports"] = said
    assert checked_creation(answer).transports == kept


def test_what_a_browser_says_beside_the_attestation_is_not_believed() -> None:
    answer = created(SoftwareAuthenticator())
    answer["response"] |= {"publicKey": "AAAA", "publicKeyAlgorithm": 0, "authenticatorData": "AAAA"}
    answer |= {"authenticatorAttachment": "in orbit", "clientExtensionResults": 1}
    assert checked_creation(answer) == checked_creation(created(SoftwareAuthenticator()))
