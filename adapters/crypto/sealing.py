"""Secrets at rest."""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = "v1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_ROOT_ID_BYTES = 4


def derived(root_key: bytes, label: str, size: int) -> bytes:
    """A key of its own for each label (SK-02)."""
    return HKDF(algorithm=SHA256(), length=size, salt=None, info=label.encode()).derive(root_key)


class SealBroken(Exception):
    """It was sealed under another root key, for another purpose or owner, or was changed since."""


class Sealer:
    """Encrypts what must not be readable from a copy of the database: `v1.<root key id>.<nonce and ciphertext>`.

    AES-256-GCM with a random nonce (SK-04). Each purpose has a key of its own, derived from the root key by HKDF
    (SK-02), and the purpose and the owner are authenticated: a value moved to another row does not open.
    """

    def __init__(self, root_key: bytes) -> None:
        self._root_key = root_key
        self._root_id = derived(root_key, "hallporter root key id", _ROOT_ID_BYTES).hex()
        self._beginning = f"{_VERSION}.{self._root_id}."
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, plaintext: bytes, *, purpose: str, owner: str) -> str:
        """Encrypt for one purpose and one owner."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._cipher(purpose).encrypt(nonce, plaintext, _bound_to(purpose, owner))
        return self._beginning + base64.urlsafe_b64encode(nonce + ciphertext).decode()

    def open(self, sealed: str, *, purpose: str, owner: str) -> bytes:
        """Decrypt.

        Raises: SealBroken.
        """
        if not self.is_current(sealed):
            raise SealBroken
        try:
            content = base64.b64decode(sealed.rpartition(".")[2], altchars="-_", validate=True)
            return self._cipher(purpose).decrypt(
                content[:_NONCE_BYTES], content[_NONCE_BYTES:], _bound_to(purpose, owner)
            )
        except (ValueError, InvalidTag) as error:
            raise SealBroken from error

    def is_current(self, sealed: str) -> bool:
        """Whether it was sealed in the present format under the present root key."""
        return sealed.startswith(self._beginning)

    def _cipher(self, purpose: str) -> AESGCM:
        if purpose not in self._ciphers:
            self._ciphers[purpose] = AESGCM(derived(self._root_key, f"hallporter seal: {purpose}", _KEY_BYTES))
        return self._ciphers[purpose]


def _bound_to(purpose: str, owner: str) -> bytes:
    return f"{_VERSION}|{purpose}|{owner}".encode()
