"""An authenticator with the browser before it, in software (L3 §5.1.3, §5.1.4, §6.3), and all there is to get wrong.

`dataclasses.replace(authenticator, rp_id="evil.example")` is one that lies about that, and signs the lie.
"""

import functools
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

ES256, EDDSA, RS256 = -7, -8, -257
ORIGIN = "https://accounts.example.com"


class Authenticator(Protocol):
    """What tests need to know of one, in software or in memory. Set to something, it says so."""

    credential_id: bytes
    user_handle: bytes | None
    user_verified: bool
    sign_count: int
    backup_eligible: bool
    backed_up: bool

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]: ...

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key of a passkey: its public half as COSE has it, and signing with the other."""

    cose: dict[int, Any]
    sign: Callable[[bytes], bytes]


@functools.cache
def key_pair(algorithm: int, number: int = 0) -> KeyPair:
    """One key pair for each number, made once: those of RSA take long."""
    match algorithm:
        case -7:
            curve = ec.generate_private_key(ec.SECP256R1())
            point = curve.public_key().public_numbers()
            x, y = point.x.to_bytes(32), point.y.to_bytes(32)
            return KeyPair({1: 2, 3: ES256, -1: 1, -2: x, -3: y}, lambda data: curve.sign(data, ec.ECDSA(SHA256())))
        case -8:
            edwards = ed25519.Ed25519PrivateKey.generate()
            return KeyPair({1: 1, 3: EDDSA, -1: 6, -2: edwards.public_key().public_bytes_raw()}, edwards.sign)
        case -257:
            factors = rsa.generate_private_key(65537, 2048)
            modulus = factors.public_key().public_numbers().n.to_bytes(256)
            cose = {1: 3, 3: RS256, -1: modulus, -2: b"\1\0\1"}
            return KeyPair(cose, lambda data: factors.sign(data, padding.PKCS1v15(), SHA256()))
    raise LookupError(algorithm)


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def unchanged(content: bytes) -> bytes:
    return content


@dataclass(slots=True, kw_only=True)
class SoftwareAuthenticator:
    """Has one passkey. All that it says can be set, and then is signed as it is."""

    key: KeyPair = field(default_factory=lambda: key_pair(ES256))
    credential_id: bytes = hashlib.sha256(b"a passkey").digest()
    user_handle: bytes | None = None
    user_present: bool = True
    user_verified: bool = True
    backup_eligible: bool = True
    backed_up: bool = True
    sign_count: int = 0
    aaguid: bytes = bytes(16)
    # What the options say, where these are not set.
    rp_id: str | None = None
    # A passkey comes with its creation, and never again.
    has_credential: bool | None = None
    extensions: bytes = b""
    format: str = "none"
    statement: Mapping[str, object] = field(default_factory=dict)
    # The browser's part: members beside the true ones, or instead of them.
    origin: str = ORIGIN
    client_data: Mapping[str, object] = field(default_factory=dict)
    # What becomes of the bytes before they are signed.
    rewrite_client_data: Callable[[bytes], bytes] = unchanged
    rewrite_authenticator_data: Callable[[bytes], bytes] = unchanged
    rewrite_attestation_object: Callable[[bytes], bytes] = unchanged

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        padded = options["user"]["id"] + "=" * (-len(options["user"]["id"]) % 4)
        self.user_handle = urlsafe_b64decode(padded)
        data = self._authenticator_data(options["rp"]["id"], new=True)
        attestation = encode_cbor({"fmt": self.format, "attStmt": self.statement, "authData": data})
        return self._answer(
            {
                "clientDataJSON": encoded(self._client_data("webauthn.create", options)),
                "attestationObject": encoded(self.rewrite_attestation_object(attestation)),
                "transports": ["internal", "hybrid"],
                # Browsers give these as well, for those who cannot read the object.
                "authenticatorData": encoded(data),
                "publicKeyAlgorithm": self.key.cose.get(3),
            }
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        client_data = self._client_data("webauthn.get", options)
        data = self._authenticator_data(options["rpId"], new=False)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest())
        return self._answer(
            {
                "clientDataJSON": encoded(client_data),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": None if self.user_handle is None else encoded(self.user_handle),
            }
        )

    def _client_data(self, ceremony: str, options: Mapping[str, Any]) -> bytes:
        members = {
            "type": ceremony,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
            **self.client_data,
        }
        return self.rewrite_client_data(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode())

    def _authenticator_data(self, rp_id: str, *, new: bool) -> bytes:
        has_credential = new if self.has_credential is None else self.has_credential
        flags = (self.user_present, False, self.user_verified, self.backup_eligible, self.backed_up, False)
        bits = sum(flag << bit for bit, flag in enumerate((*flags, has_credential, bool(self.extensions))))
        length = len(self.credential_id).to_bytes(2)
        credential = self.aaguid + length + self.credential_id + encode_cbor(self.key.cose)
        return self.rewrite_authenticator_data(
            hashlib.sha256((self.rp_id or rp_id).encode()).digest()
            + bytes([bits])
            + self.sign_count.to_bytes(4)
            + (credential if has_credential else b"")
            + self.extensions
        )

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": encoded(self.credential_id),
            "rawId": encoded(self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
