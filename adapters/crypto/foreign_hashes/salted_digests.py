"""One round of a digest, salted or not: what no password should be kept as, and many are."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed
from adapters.crypto.foreign_hashes.limits import cost, expect_salt
from adapters.crypto.foreign_hashes.notation import from_base64, from_hex, from_hex_or_base64, parts_of, to_base64
from adapters.crypto.foreign_hashes.objects import Fields, expect_only, salt_of, text_of

_LDAP = re.compile(r"\{(S?)(MD5|SHA|SHA256|SHA512)\}(.*)", re.IGNORECASE)
_DOLLARS = re.compile(r"(md5|sha1|sha256|sha512)\$([^$]*)\$([^$]*)")
_OURS = re.compile(r"\$(salted|hmac)-(md5|sha1|sha256|sha512)\$([^$]*)\$([^$]*)")
_LDAP_NAMES = {"md5": "MD5", "sha1": "SHA", "sha256": "SHA256", "sha512": "SHA512"}
_ALGORITHMS = {name: algorithm for algorithm, name in _LDAP_NAMES.items()}


class SaltPlace(StrEnum):
    """Where the salt goes."""

    BEFORE = "before"
    AFTER = "after"
    KEY = "key"
    """HMAC, with the salt for its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaltedDigest:
    """MD5, SHA-1, SHA-256 or SHA-512 of password and salt."""

    algorithm: str
    digest: bytes
    salt: bytes
    place: SaltPlace

    def __post_init__(self) -> None:
        if len(self.digest) != hashlib.new(self.algorithm).digest_size:
            raise malformed(detail=f"the digest has another length than those of {self.algorithm}")
        expect_salt(self.salt)

    @property
    def format(self) -> str:
        return f"hmac_{self.algorithm}" if self.place is SaltPlace.KEY else self.algorithm

    @property
    def encoded(self) -> str:
        if self.place is SaltPlace.AFTER or (self.place is SaltPlace.BEFORE and not self.salt):
            name = f"{'S' if self.salt else ''}{_LDAP_NAMES[self.algorithm]}"
            content = to_base64(self.digest + self.salt)
            return f"{{{name}}}{content}{'=' * (-len(content) % 4)}"
        kind = "hmac" if self.place is SaltPlace.KEY else "salted"
        return f"${kind}-{self.algorithm}${to_base64(self.salt)}${to_base64(self.digest)}"

    @property
    def cost(self) -> Cost:
        return cost(0)

    def matches(self, password: bytes) -> bool:
        return hmac.compare_digest(self._digest_of(password), self.digest)

    def _digest_of(self, password: bytes) -> bytes:
        match self.place:
            case SaltPlace.BEFORE:
                return hashlib.new(self.algorithm, self.salt + password).digest()
            case SaltPlace.AFTER:
                return hashlib.new(self.algorithm, password + self.salt).digest()
            case SaltPlace.KEY:
                return hmac.digest(self.salt, password, self.algorithm)


def read_ldap(written: str) -> SaltedDigest:
    """`{SSHA}` and its like, with the salt after password and digest, and `{SHA}`, without.

    Raises: UnusableHash.
    """
    salted, name, content = parts_of(written, _LDAP, "a hash of LDAP")
    algorithm, decoded = _ALGORITHMS[name.upper()], from_base64(content)
    size = hashlib.new(algorithm).digest_size if salted else len(decoded)
    return SaltedDigest(algorithm=algorithm, digest=decoded[:size], salt=decoded[size:], place=SaltPlace.AFTER)


def read_dollars(written: str) -> SaltedDigest:
    """Django's `sha1$salt$digest` and `md5$salt$digest`, and Werkzeug's with SHA-2, which are HMACs.

    Werkzeug's with SHA-1 and MD5 look like Django's, and are taken for them.

    Raises: UnusableHash.
    """
    algorithm, salt_text, digest = parts_of(written, _DOLLARS, "a salted digest")
    place = SaltPlace.BEFORE if algorithm in {"md5", "sha1"} else SaltPlace.KEY
    return SaltedDigest(algorithm=algorithm, digest=from_hex(digest), salt=salt_text.encode(), place=place)


def read_our_digest(written: str) -> SaltedDigest:
    """`$salted-sha256$salt$digest` and `$hmac-sha256$salt$digest`, for which nobody else has a notation.

    Raises: UnusableHash.
    """
    kind, algorithm, salt_text, digest = parts_of(written, _OURS, "a salted digest")
    place = SaltPlace.KEY if kind == "hmac" else SaltPlace.BEFORE
    return SaltedDigest(algorithm=algorithm, digest=from_base64(digest), salt=from_base64(salt_text), place=place)


def read_digest_object(fields: Fields) -> SaltedDigest:
    """`{"format": "sha256", "hash": …, "salt": …, "salt_position": "before" or "after"}`.

    Raises: UnusableHash.
    """
    expect_only(fields, "hash", "salt", "salt_encoding", "salt_position")
    salt_bytes = salt_of(fields)
    place = text_of(fields, "salt_position", default="" if salt_bytes else "after")
    if place not in {SaltPlace.BEFORE, SaltPlace.AFTER}:
        raise malformed(detail="salt_position is before or after")
    return SaltedDigest(
        algorithm=text_of(fields, "format"),
        digest=from_hex_or_base64(text_of(fields, "hash")),
        salt=salt_bytes,
        place=SaltPlace(place),
    )
