"""Firebase's scrypt: the key that it derives encrypts the key of the project, and that is the digest.

As in https://github.com/firebase/scrypt, which is where the names come from.
"""

import hmac
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed
from adapters.crypto.foreign_hashes.limits import expect_digest, expect_salt
from adapters.crypto.foreign_hashes.notation import from_base64, number, parts_of, to_base64
from adapters.crypto.foreign_hashes.objects import Fields, number_of, text_of
from adapters.crypto.foreign_hashes.scrypt_hashes import ScryptWork

_WRITTEN = re.compile(
    r"\$fbscrypt\$v=1,n=([0-9]+),r=([0-9]+),p=([0-9]+)(?:,ss=([^,$]*))?,sk=([^,$]*)\$([^$]*)\$([^$]*)"
)
_KEY_BYTES = 32
_NO_NONCE = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirebaseHash:
    """Firebase's scrypt with the parameters of its project."""

    work: ScryptWork
    salt_separator: bytes
    signer_key: bytes
    salt: bytes
    digest: bytes

    def __post_init__(self) -> None:
        expect_salt(self.salt + self.salt_separator)
        expect_digest(self.digest)
        if len(self.digest) != len(self.signer_key):
            raise malformed(detail="the digest is as long as the signer key")

    @property
    def format(self) -> str:
        return "firebase_scrypt"

    @property
    def encoded(self) -> str:
        keys = f"ss={_padded(self.salt_separator)},sk={_padded(self.signer_key)}"
        parameters = f"v=1,n={self.work.exponent},r={self.work.r},p={self.work.p},{keys}"
        return f"$fbscrypt${parameters}${_padded(self.salt)}${_padded(self.digest)}"

    @property
    def cost(self) -> Cost:
        return self.work.cost

    def matches(self, password: bytes) -> bool:
        key = self.work.derive(password, self.salt + self.salt_separator, size=_KEY_BYTES)
        encryptor = Cipher(AES256(key), CTR(_NO_NONCE)).encryptor()
        return hmac.compare_digest(encryptor.update(self.signer_key) + encryptor.finalize(), self.digest)


def read_firebase(written: str) -> FirebaseHash:
    """`$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$digest`: salt separator, signer key, salt and digest in base64.

    Raises: UnusableHash.
    """
    exponent, r, p, separator, key, salt, digest = parts_of(written, _WRITTEN, "Firebase's scrypt")
    return FirebaseHash(
        work=ScryptWork.of_exponent(number(exponent), r=number(r), p=number(p)),
        salt_separator=from_base64(separator),
        signer_key=from_base64(key),
        salt=from_base64(salt),
        digest=from_base64(digest),
    )


def read_firebase_object(fields: Fields) -> FirebaseHash:
    """A user of a Firebase export (`passwordHash`, `salt`) with the parameters of the project beside it.

    These are `base64_signer_key`, `base64_salt_separator`, `rounds` and `mem_cost`.

    Raises: UnusableHash.
    """
    return FirebaseHash(
        work=ScryptWork.of_exponent(number_of(fields, "mem_cost"), r=number_of(fields, "rounds"), p=1),
        salt_separator=from_base64(text_of(fields, "base64_salt_separator", default="")),
        signer_key=from_base64(text_of(fields, "base64_signer_key")),
        salt=from_base64(text_of(fields, "salt")),
        digest=from_base64(text_of(fields, "passwordHash")),
    )


def _padded(content: bytes) -> str:
    bare = to_base64(content)
    return bare + "=" * (-len(bare) % 4)
