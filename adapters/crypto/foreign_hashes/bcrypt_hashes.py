"""bcrypt, and Django's way around its 72 bytes."""

import hashlib
import re
from dataclasses import dataclass

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed
from adapters.crypto.foreign_hashes.limits import Nanoseconds, cost

_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WRITTEN = re.compile(r"\$2([abxy])\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})")
_LOWEST_COST, _HIGHEST_COST = 4, 31
_LONGEST_PASSWORD = 72
# Bits of the last character that belong to nothing: 22 characters hold 16 bytes, and 31 hold 23.
_SPARE_SALT_BITS, _SPARE_DIGEST_BITS = 4, 2
_PREHASHED = "bcrypt_sha256$"


@dataclass(frozen=True, slots=True, kw_only=True)
class BcryptHash:
    """bcrypt of a password, or with `prehashed` of its SHA-256 in hexadecimal digits.

    Takes the first 72 bytes of a password like every bcrypt. A NUL matches nothing: implementations differ in whether
    it ends the password.
    """

    minor: str
    """`b`, or `x` for those of a crypt_blowfish that was wrong about bytes above 127: passwords of ASCII match."""
    log_rounds: int
    salt: str
    digest: str
    prehashed: bool = False

    def __post_init__(self) -> None:
        if not _LOWEST_COST <= self.log_rounds <= _HIGHEST_COST:
            raise malformed(detail="the cost of bcrypt is a number between 4 and 31")

    @property
    def format(self) -> str:
        return "bcrypt_sha256" if self.prehashed else "bcrypt"

    @property
    def encoded(self) -> str:
        return f"{_PREHASHED if self.prehashed else ''}${self._text(self.minor)}"

    @property
    def cost(self) -> Cost:
        return cost(2**self.log_rounds * Nanoseconds.BCRYPT_ROUND)

    def matches(self, password: bytes) -> bool:
        import bcrypt  # noqa: PLC0415  (only where such a hash is met)

        taken = hashlib.sha256(password).hexdigest().encode() if self.prehashed else password[:_LONGEST_PASSWORD]
        # The library compares in constant time.
        return b"\0" not in taken and bcrypt.checkpw(taken, f"${self._text('b')}".encode())

    def _text(self, minor: str) -> str:
        return f"2{minor}${self.log_rounds:02}${self.salt}{self.digest}"


def read_bcrypt(written: str, *, prehashed: bool = False) -> BcryptHash:
    """As crypt(3) has it: `$2a$`, `$2b$`, `$2y$`, which are the same today, or `$2x$`.

    Raises: UnusableHash.
    """
    found = _WRITTEN.fullmatch(written)
    if found is None:
        raise malformed(detail="it begins like bcrypt and goes on differently")
    minor, log_rounds, salt, digest = found.groups()
    return BcryptHash(
        minor="x" if minor == "x" else "b",
        log_rounds=int(log_rounds),
        salt=_without_spare_bits(salt, _SPARE_SALT_BITS),
        digest=_without_spare_bits(digest, _SPARE_DIGEST_BITS),
        prehashed=prehashed,
    )


def read_django_bcrypt(written: str) -> BcryptHash:
    """Django's `bcrypt$` or `bcrypt_sha256$` before what crypt(3) would have.

    Raises: UnusableHash.
    """
    algorithm, _, rest = written.partition("$")
    return read_bcrypt(rest, prehashed=algorithm == "bcrypt_sha256")


def _without_spare_bits(text: str, bits: int) -> str:
    return text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) >> bits << bits]
