"""What browsers send, read strictly: sizes first, one spelling for each value, nothing half understood.

Members that nobody asked for are passed over: browsers add to them with every year (L3 §5.1, extensions too).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from application.ports.passkeys import PasskeyFault, PasskeyRefused

MAX_ANSWER = 32 * 1024
MAX_CLIENT_DATA = 4 * 1024
# What follows is far more than what there is: RSA of 4096 bits makes keys and signatures of half a KB.
MAX_ATTESTATION_OBJECT = 16 * 1024
MAX_AUTHENTICATOR_DATA = 4 * 1024
MAX_SIGNATURE = 1024
MAX_CREDENTIAL_ID = 1023  # L3 §4, credential ID
MAX_USER_HANDLE = 64  # L3 §4, user handle
_TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """An answer to `navigator.credentials.create()`, taken out of its wrapping."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """An answer to `navigator.credentials.get()`, taken out of its wrapping."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def read_creation(answer: object) -> Creation:
    """Raises: PasskeyRefused."""
    members = _members(answer)
    credential_id, response = _credential(members)
    return Creation(
        credential_id=credential_id,
        client_data=_decoded(response.get("clientDataJSON"), MAX_CLIENT_DATA),
        attestation_object=_decoded(response.get("attestationObject"), MAX_ATTESTATION_OBJECT),
        transports=_transports(response.get("transports")),
    )


def read_assertion(answer: object) -> Assertion:
    """Raises: PasskeyRefused."""
    members = _members(answer)
    credential_id, response = _credential(members)
    return Assertion(
        credential_id=credential_id,
        client_data=_decoded(response.get("clientDataJSON"), MAX_CLIENT_DATA),
        authenticator_data=_decoded(response.get("authenticatorData"), MAX_AUTHENTICATOR_DATA),
        signature=_decoded(response.get("signature"), MAX_SIGNATURE),
        user_handle=_user_handle(response),
    )


def read_credential_id(answer: object) -> bytes:
    """Raises: PasskeyRefused."""
    return _credential_id(_members(answer).get("id"))


def expect_client_data(content: bytes, *, ceremony: str, challenge: bytes, origins: Sequence[str]) -> None:
    """What the browser says it did: that ceremony, with that challenge, on one of those pages, in no frame of others.

    Raises: PasskeyRefused.
    """
    client_data = _parsed_object(content)
    if client_data.get("type") != ceremony:
        raise PasskeyRefused(PasskeyFault.CEREMONY)
    if client_data.get("challenge") != encoded(challenge):
        raise PasskeyRefused(PasskeyFault.CHALLENGE)
    if client_data.get("origin") not in origins:
        raise PasskeyRefused(PasskeyFault.ORIGIN)
    if client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data:
        raise PasskeyRefused(PasskeyFault.CROSS_ORIGIN)


def encoded(content: bytes) -> str:
    """Base64url without padding (L3 §3)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _members(answer: object) -> Mapping[object, object]:
    """The members of an object that is small enough to go on with."""
    if not isinstance(answer, Mapping):
        _refuse()
    try:
        size = len(json.dumps(dict(answer)))
    except (TypeError, ValueError, RecursionError):
        _refuse()
    if size > MAX_ANSWER:
        raise PasskeyRefused(PasskeyFault.TOO_LARGE)
    return answer


def _credential(members: Mapping[object, object]) -> tuple[bytes, Mapping[object, object]]:
    if members.get("type") != "public-key" or members.get("rawId") != members.get("id"):
        _refuse()
    return _credential_id(members.get("id")), _response(members)


def _response(members: Mapping[object, object]) -> Mapping[object, object]:
    response = members.get("response")
    return response if isinstance(response, Mapping) else _refuse()


def _credential_id(text: object) -> bytes:
    return _decoded(text, MAX_CREDENTIAL_ID) or _refuse()


def _user_handle(response: Mapping[object, object]) -> bytes | None:
    text = response.get("userHandle")
    return None if text is None else _decoded(text, MAX_USER_HANDLE) or _refuse()


def _transports(listed: object) -> tuple[str, ...]:
    """Those that the standard knows. They help browsers to ask for the right thing, and prove nothing."""
    return tuple(name for name in _TRANSPORTS if isinstance(listed, list) and name in listed)


def _decoded(text: object, at_most: int) -> bytes:
    """The bytes that a text stands for, if it is the only text that does."""
    if not isinstance(text, str):
        _refuse()
    if len(text) > len(encoded(bytes(at_most))):
        raise PasskeyRefused(PasskeyFault.TOO_LARGE)
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        _refuse()
    # Python passes over letters that are none of base64's, and over bits that are left at the end.
    return content if encoded(content) == text else _refuse()


def _parsed_object(content: bytes) -> dict[str, object]:
    """A JSON object in UTF-8, without duplicate names."""
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse()
    return value if isinstance(value, dict) else _refuse()


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    return names if len(names) == len(pairs) else _refuse()


def _no_constant(_name: str) -> NoReturn:
    _refuse()


def _refuse() -> NoReturn:
    raise PasskeyRefused(PasskeyFault.MALFORMED) from None
