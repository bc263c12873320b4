"""PBKDF2 (RFC 8018), with HMAC."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed, unknown
from adapters.crypto.foreign_hashes.limits import Nanoseconds, cost, expect_digest, expect_salt
from adapters.crypto.foreign_hashes.notation import (
    from_base64,
    from_hex,
    from_hex_or_base64,
    number,
    parts_of,
    to_base64,
)
from adapters.crypto.foreign_hashes.objects import Fields, expect_only, number_of, salt_of, text_of

_PHC = re.compile(r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?([0-9]+)(?:,l=[0-9]+)?\$([^$]*)\$([^$]*)")
_DJANGO = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$([0-9]+)\$([^$]*)\$([^$]*)")
_WERKZEUG = re.compile(r"pbkdf2:(sha1|sha256|sha512):([0-9]+)\$([^$]*)\$([^$]*)")
_NANOSECONDS = {
    "sha1": Nanoseconds.PBKDF2_ROUND,
    "sha256": Nanoseconds.PBKDF2_ROUND,
    "sha512": Nanoseconds.PBKDF2_SHA512_ROUND,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pbkdf2Hash:
    """PBKDF2 with SHA-1, SHA-256 or SHA-512, of a digest of any length."""

    algorithm: str
    iterations: int
    salt: bytes
    digest: bytes

    def __post_init__(self) -> None:
        if self.algorithm not in _NANOSECONDS:
            raise unknown(detail="PBKDF2 with that algorithm is not known here")
        if self.iterations < 1:
            raise malformed(detail="PBKDF2 takes at least one iteration")
        expect_salt(self.salt)
        expect_digest(self.digest)

    @property
    def format(self) -> str:
        return f"pbkdf2_{self.algorithm}"

    @property
    def encoded(self) -> str:
        # As passlib has it, who wrote it down first.
        name = "pbkdf2" if self.algorithm == "sha1" else f"pbkdf2-{self.algorithm}"
        return f"${name}${self.iterations}${_adapted(self.salt)}${_adapted(self.digest)}"

    @property
    def cost(self) -> Cost:
        stretches = -(-len(self.digest) // hashlib.new(self.algorithm).digest_size)
        return cost(self.iterations * stretches * _NANOSECONDS[self.algorithm])

    def matches(self, password: bytes) -> bool:
        digest = hashlib.pbkdf2_hmac(self.algorithm, password, self.salt, self.iterations, len(self.digest))
        return hmac.compare_digest(digest, self.digest)


def read_pbkdf2(written: str) -> Pbkdf2Hash:
    """As passlib writes it: `$pbkdf2-sha256$29000$salt$digest`, both in base64. `$pbkdf2$` is with SHA-1.

    Others write `i=29000` or `i=29000,l=32` for the iterations.

    Raises: UnusableHash.
    """
    algorithm, iterations, salt, digest = parts_of(written, _PHC, "PBKDF2")
    return Pbkdf2Hash(
        algorithm=algorithm or "sha1",
        iterations=number(iterations),
        salt=from_base64(salt),
        digest=from_base64(digest),
    )


def read_django_pbkdf2(written: str) -> Pbkdf2Hash:
    """`pbkdf2_sha256$870000$salt$digest`, the salt as text and the digest in base64.

    Raises: UnusableHash.
    """
    algorithm, iterations, salt, digest = parts_of(written, _DJANGO, "PBKDF2")
    return Pbkdf2Hash(
        algorithm=algorithm, iterations=number(iterations), salt=salt.encode(), digest=from_base64(digest)
    )


def read_werkzeug_pbkdf2(written: str) -> Pbkdf2Hash:
    """`pbkdf2:sha256:600000$salt$digest`, the salt as text and the digest in hexadecimal digits.

    Raises: UnusableHash.
    """
    algorithm, iterations, salt, digest = parts_of(written, _WERKZEUG, "PBKDF2")
    return Pbkdf2Hash(algorithm=algorithm, iterations=number(iterations), salt=salt.encode(), digest=from_hex(digest))


def read_pbkdf2_object(fields: Fields) -> Pbkdf2Hash:
    """`{"format": "pbkdf2_sha256", "iterations": 600000, "salt": …, "hash": …}`.

    Raises: UnusableHash.
    """
    expect_only(fields, "hash", "salt", "salt_encoding", "iterations")
    return Pbkdf2Hash(
        algorithm=text_of(fields, "format").removeprefix("pbkdf2_"),
        iterations=number_of(fields, "iterations"),
        salt=salt_of(fields),
        digest=from_hex_or_base64(text_of(fields, "hash")),
    )


def _adapted(content: bytes) -> str:
    return to_base64(content).replace("+", ".")
