"""scrypt (RFC 7914)."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed, too_costly
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

_PHC = re.compile(r"\$scrypt\$ln=([0-9]+),r=([0-9]+),p=([0-9]+)\$([^$]*)\$([^$]*)")
_WERKZEUG = re.compile(r"scrypt:([0-9]+):([0-9]+):([0-9]+)\$([^$]*)\$([^$]*)")
_DJANGO = re.compile(r"scrypt\$([0-9]+)\$([^$]*)\$([0-9]+)\$([0-9]+)\$([^$]*)")
_BLOCK = 128
_HIGHEST_EXPONENT = 32
_MOST_BLOCKS = 2**30
# What OpenSSL wants to have beside the blocks that it works on.
_SPARE_MEMORY = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptWork:
    """The parameters of scrypt: N (a power of two), r and p."""

    n: int
    r: int
    p: int

    def __post_init__(self) -> None:
        if self.n < 2 or self.n & (self.n - 1):  # noqa: PLR2004  (2 ** 1)
            raise malformed(detail="N of scrypt is a power of two above one")
        # The bounds of RFC 7914, section 6.
        if self.r < 1 or self.p < 1 or self.n.bit_length() > 16 * self.r or self.r * self.p >= _MOST_BLOCKS:
            raise malformed(detail="scrypt does not take such an r and p with that N")

    @classmethod
    def of_exponent(cls, exponent: int, *, r: int, p: int) -> "ScryptWork":
        """Parameters with N = 2 ** exponent.

        Raises: UnusableHash.
        """
        if exponent > _HIGHEST_EXPONENT:
            raise too_costly(detail="N of scrypt is too large")
        return cls(n=2**exponent, r=r, p=p)

    @property
    def exponent(self) -> int:
        """The logarithm of N to the base of two."""
        return self.n.bit_length() - 1

    @property
    def cost(self) -> Cost:
        """What deriving one key takes."""
        return cost(self.n * self.r * self.p * Nanoseconds.SCRYPT_BLOCK, memory=_BLOCK * self.r * (self.n + self.p + 2))

    def derive(self, password: bytes, salt: bytes, *, size: int) -> bytes:
        """A key of so many bytes."""
        most = self.cost.memory + _SPARE_MEMORY
        try:
            return hashlib.scrypt(password, salt=salt, n=self.n, r=self.r, p=self.p, maxmem=most, dklen=size)
        except ValueError as failed:
            # Of parameters that passed it only fails for want of memory.
            raise MemoryError from failed


@dataclass(frozen=True, slots=True, kw_only=True)
class ScryptHash:
    """scrypt as it is, of a salt in bytes."""

    work: ScryptWork
    salt: bytes
    digest: bytes

    def __post_init__(self) -> None:
        expect_salt(self.salt)
        expect_digest(self.digest)

    @property
    def format(self) -> str:
        return "scrypt"

    @property
    def encoded(self) -> str:
        parameters = f"ln={self.work.exponent},r={self.work.r},p={self.work.p}"
        return f"$scrypt${parameters}${to_base64(self.salt)}${to_base64(self.digest)}"

    @property
    def cost(self) -> Cost:
        return self.work.cost

    def matches(self, password: bytes) -> bool:
        return hmac.compare_digest(self.work.derive(password, self.salt, size=len(self.digest)), self.digest)


def read_scrypt(written: str) -> ScryptHash:
    """As passlib writes it: `$scrypt$ln=16,r=8,p=1$salt$digest`, both in base64.

    Raises: UnusableHash.
    """
    exponent, r, p, salt, digest = parts_of(written, _PHC, "scrypt")
    work = ScryptWork.of_exponent(number(exponent), r=number(r), p=number(p))
    return ScryptHash(work=work, salt=from_base64(salt), digest=from_base64(digest))


def read_werkzeug_scrypt(written: str) -> ScryptHash:
    """`scrypt:32768:8:1$salt$digest`, the salt as text and the digest in hexadecimal digits.

    Raises: UnusableHash.
    """
    n, r, p, salt, digest = parts_of(written, _WERKZEUG, "scrypt")
    work = ScryptWork(n=number(n), r=number(r), p=number(p))
    return ScryptHash(work=work, salt=salt.encode(), digest=from_hex(digest))


def read_django_scrypt(written: str) -> ScryptHash:
    """`scrypt$16384$salt$8$5$digest`, the salt as text and the digest in base64.

    Raises: UnusableHash.
    """
    n, salt, r, p, digest = parts_of(written, _DJANGO, "scrypt")
    work = ScryptWork(n=number(n), r=number(r), p=number(p))
    return ScryptHash(work=work, salt=salt.encode(), digest=from_base64(digest))


def read_scrypt_object(fields: Fields) -> ScryptHash:
    """`{"format": "scrypt", "n": 16384, "r": 8, "p": 1, "salt": …, "hash": …}`.

    Raises: UnusableHash.
    """
    expect_only(fields, "hash", "salt", "salt_encoding", "n", "r", "p")
    return ScryptHash(
        work=ScryptWork(n=number_of(fields, "n"), r=number_of(fields, "r"), p=number_of(fields, "p")),
        salt=salt_of(fields),
        digest=from_hex_or_base64(text_of(fields, "hash")),
    )
