"""Hashes that crypt(3) and PHP made by many rounds of a digest: SHA-crypt, MD5-crypt and phpass.

libpass does the work, in Python, and holds the interpreter meanwhile: other threads get their turn every 5 ms.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed
from adapters.crypto.foreign_hashes.limits import Nanoseconds, cost
from adapters.crypto.foreign_hashes.notation import number, parts_of

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHA_CRYPT = re.compile(r"\$([56])\$(?:rounds=([0-9]+)\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})")
_MD5_CRYPT = re.compile(r"\$(1|apr1)\$([./0-9A-Za-z]{0,8})\$([./0-9A-Za-z]{22})")
_PHPASS = re.compile(r"\$[PH]\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})")
_DIGEST_BYTES = {43: 32, 86: 64, 22: 16}
_FEWEST_ROUNDS, _MOST_ROUNDS, _ROUNDS_UNSAID = 1_000, 999_999_999, 5_000
_MD5_CRYPT_ROUNDS = 1_000
_FEWEST_LOG_ROUNDS, _MOST_LOG_ROUNDS = 7, 30
# More than anybody types; beyond it libpass refuses.
_LONGEST_PASSWORD = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptHash:
    """One that libpass checks, known there as `format`. A NUL, which ends a password in C, matches nothing."""

    format: str
    encoded: str
    cost: Cost

    def matches(self, password: bytes) -> bool:
        from passlib.registry import get_crypt_handler  # noqa: PLC0415  (5 MB, only where such a hash is met)

        if b"\0" in password or len(password) > _LONGEST_PASSWORD:
            return False
        # The library compares in constant time.
        verify: Callable[[bytes, str], bool] = get_crypt_handler(self.format).verify
        return verify(password, self.encoded)


def read_sha_crypt(written: str) -> CryptHash:
    """`$5$salt$digest`, or `$6$…`, which may have `rounds=10000$` before the salt: 5000 if not.

    Raises: UnusableHash.
    """
    kind, rounds_text, salt, digest = parts_of(written, _SHA_CRYPT, "SHA-crypt")
    rounds = number(rounds_text) if rounds_text else _ROUNDS_UNSAID
    if not _FEWEST_ROUNDS <= rounds <= _MOST_ROUNDS:
        raise malformed(detail="SHA-crypt has between 1000 and 999999999 rounds")
    if len(digest) != {"5": 43, "6": 86}[kind]:
        raise malformed(detail="the digest is too long or too short")
    _expect_whole(digest)
    said = f"rounds={rounds}$" if rounds != _ROUNDS_UNSAID else ""
    return CryptHash(
        format="sha256_crypt" if kind == "5" else "sha512_crypt",
        encoded=f"${kind}${said}{salt}${digest}",
        cost=cost(rounds * Nanoseconds.SHA_CRYPT_ROUND),
    )


def read_md5_crypt(written: str) -> CryptHash:
    """`$1$salt$digest`, or `$apr1$salt$digest` of Apache.

    Raises: UnusableHash.
    """
    kind, _, digest = parts_of(written, _MD5_CRYPT, "MD5-crypt")
    _expect_whole(digest)
    return CryptHash(
        format="md5_crypt" if kind == "1" else "apr_md5_crypt",
        encoded=written,
        cost=cost(_MD5_CRYPT_ROUNDS * Nanoseconds.MD5_ROUND),
    )


def read_phpass(written: str) -> CryptHash:
    """`$P$` or, for the same in phpBB, `$H$`.

    Raises: UnusableHash.
    """
    rounds_text, salt, digest = parts_of(written, _PHPASS, "phpass")
    log_rounds = _ALPHABET.index(rounds_text)
    if not _FEWEST_LOG_ROUNDS <= log_rounds <= _MOST_LOG_ROUNDS:
        raise malformed(detail="phpass has between 2 ** 7 and 2 ** 30 rounds")
    _expect_whole(digest)
    return CryptHash(
        format="phpass",
        encoded=f"$P${rounds_text}{salt}{digest}",
        cost=cost(2**log_rounds * Nanoseconds.MD5_ROUND),
    )


def _expect_whole(digest: str) -> None:
    """Let pass what stands for whole bytes: the last character has fewer than six bits, and the lowest ones first.

    Raises: UnusableHash.
    """
    spare_bits = 6 * len(digest) - 8 * _DIGEST_BYTES[len(digest)]
    if _ALPHABET.index(digest[-1]) >> (6 - spare_bits):
        raise malformed(detail="the digest ends in bits that belong to nothing")
