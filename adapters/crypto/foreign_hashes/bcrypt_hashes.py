"""bcrypt, and the ways of Django and WordPress around its 72 bytes."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed
from adapters.crypto.foreign_hashes.limits import Nanoseconds, cost
from adapters.crypto.foreign_hashes.notation import parts_of

_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WRITTEN = re.compile(r"\$2([abxy])\$([0-9]{2})\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})")
_LOWEST_COST, _HIGHEST_COST = 4, 31
_LONGEST_PASSWORD = 72
# Bits of the last character that belong to nothing: 22 characters hold 16 bytes, and 31 hold 23.
_SPARE_SALT_BITS, _SPARE_DIGEST_BITS = 4, 2
_WORDPRESS_KEY = b"wp-sha384"
_TRIMMED_BY_PHP = b" \n\r\t\v\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class BcryptHash:
    """bcrypt of a password, or of what its format makes of it first.

    Takes the first 72 bytes of a password like every bcrypt. A NUL matches nothing: implementations differ in whether
    it ends the password.
    """

    minor: str
    """`b`, or `x` for those of a crypt_blowfish that was wrong about bytes above 127: passwords of ASCII match."""
    log_rounds: int
    salt: str
    digest: str
    format: str = "bcrypt"

    def __post_init__(self) -> None:
        if not _LOWEST_COST <= self.log_rounds <= _HIGHEST_COST:
            raise malformed(detail="the cost of bcrypt is a number between 4 and 31")

    @property
    def encoded(self) -> str:
        return f"{_PREFIXES[self.format]}${self._text(self.minor)}"

    @property
    def cost(self) -> Cost:
        return cost(2**self.log_rounds * Nanoseconds.BCRYPT_ROUND)

    def matches(self, password: bytes) -> bool:
        import bcrypt  # noqa: PLC0415  (only where such a hash is met)

        taken = _TAKEN[self.format](password)
        # The library compares in constant time.
        return b"\0" not in taken and bcrypt.checkpw(taken, f"${self._text('b')}".encode())

    def _text(self, minor: str) -> str:
        return f"2{minor}${self.log_rounds:02}${self.salt}{self.digest}"


def _sha256(password: bytes) -> bytes:
    return hashlib.sha256(password).hexdigest().encode()


def _wordpress(password: bytes) -> bytes:
    return base64.b64encode(hmac.digest(_WORDPRESS_KEY, password.strip(_TRIMMED_BY_PHP), "sha384"))


_TAKEN: Mapping[str, Callable[[bytes], bytes]] = {
    "bcrypt": lambda password: password[:_LONGEST_PASSWORD],
    "bcrypt_sha256": _sha256,
    "wordpress_bcrypt": _wordpress,
}
_PREFIXES = {"bcrypt": "", "bcrypt_sha256": "bcrypt_sha256$", "wordpress_bcrypt": "$wp"}


def read_bcrypt(written: str, *, format: str = "bcrypt") -> BcryptHash:
    """As crypt(3) has it: `$2a$`, `$2b$`, `$2y$`, which are the same today, or `$2x$`.

    Raises: UnusableHash.
    """
    minor, log_rounds, salt, digest = parts_of(written, _WRITTEN, "bcrypt")
    return BcryptHash(
        minor="x" if minor == "x" else "b",
        log_rounds=int(log_rounds),
        salt=_without_spare_bits(salt, _SPARE_SALT_BITS),
        digest=_without_spare_bits(digest, _SPARE_DIGEST_BITS),
        format=format,
    )


def read_django_bcrypt(written: str) -> BcryptHash:
    """Django's `bcrypt$` or `bcrypt_sha256$` before what crypt(3) would have.

    Raises: UnusableHash.
    """
    algorithm, _, rest = written.partition("$")
    return read_bcrypt(rest, format=algorithm)


def read_wordpress(written: str) -> BcryptHash:
    """WordPress's of 6.8 and later: `$wp` before what crypt(3) would have.

    Raises: UnusableHash.
    """
    return read_bcrypt(written.removeprefix("$wp"), format="wordpress_bcrypt")


def _without_spare_bits(text: str, bits: int) -> str:
    return text[:-1] + _ALPHABET[_ALPHABET.index(text[-1]) >> bits << bits]
