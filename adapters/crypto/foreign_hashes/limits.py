"""How much a hash of another system may ask for.

Whoever writes an import file, or once wrote the database behind it, decides what each sign-in with such a hash costs
here. So every bound on it stands in this module.
"""

from adapters.crypto.foreign_hashes.known_hash import Cost, KnownHash, malformed, too_costly

LONGEST_TEXT = 2_048
"""Characters of a hash, or of one field of it. The longest in use, Firebase's with its keys, has about 300."""

LONGEST_SALT = 256
"""Bytes. Recommended are 16; Keycloak and ASP.NET allow more by configuration."""

SHORTEST_DIGEST = 16
"""Bytes: that of MD5. With fewer, other passwords than the right one would begin to match."""

LONGEST_DIGEST = 256
"""Bytes. The longest in use have 64; PBKDF2 works anew for each stretch of its digest."""

MOST_LANES = 16
"""Argon2 starts a thread for each lane, beside those that the pool is counted in."""

MOST_MEMORY = 256 * 1024**2
"""Bytes. The most that a library has as its default is Django's Argon2, with 100 MiB."""

LARGE_MEMORY = 64 * 1024**2
"""Bytes. Hashes that take more are checked one at a time, in the whole process; those that take so much (Argon2 by
default of its library, scrypt by that of passlib) at most one on each core."""

MOST_MILLISECONDS = 2_500
"""Milliseconds on one core. bcrypt with cost 15, or seven times what Django asks of PBKDF2."""


class Nanoseconds:
    """What one step takes on one core. Measured once, on a server of 2026 with two cores; accurate to a factor of two.

    Whole numbers, for the factors may be of any size.
    """

    ARGON2_BLOCK = 750
    """For each KiB and pass."""
    BCRYPT_ROUND = 55_000
    SCRYPT_BLOCK = 250
    """For each 128 bytes of N * r * p."""
    PBKDF2_ROUND = 220
    """With SHA-1 or SHA-256, for each stretch of the digest."""
    PBKDF2_SHA512_ROUND = 440
    SHA_CRYPT_ROUND = 2_000
    """Of the longest password, for the work grows with it; of a short one a quarter."""
    MD5_ROUND = 2_000
    """The same."""


def expect_affordable(known: KnownHash) -> None:
    """Let pass what can be checked in bounds.

    Raises: UnusableHash.
    """
    if known.cost.memory > MOST_MEMORY:
        raise too_costly(detail=f"a check would take more than {MOST_MEMORY // 1024**2} MiB of memory")
    if known.cost.milliseconds > MOST_MILLISECONDS:
        raise too_costly(detail=f"a check would take more than {MOST_MILLISECONDS / 1_000} seconds")


def expect_salt(salt: bytes, *, shortest: int = 0) -> None:
    """Let pass a salt of a sensible length.

    Raises: UnusableHash.
    """
    if len(salt) < shortest:
        raise malformed(detail=f"the salt is shorter than {shortest} bytes")
    if len(salt) > LONGEST_SALT:
        raise too_costly(detail=f"the salt is longer than {LONGEST_SALT} bytes")


def expect_digest(digest: bytes) -> None:
    """Let pass a digest that proves something.

    Raises: UnusableHash.
    """
    if len(digest) < SHORTEST_DIGEST:
        raise malformed(detail=f"the digest is shorter than {SHORTEST_DIGEST} bytes")
    if len(digest) > LONGEST_DIGEST:
        raise too_costly(detail=f"the digest is longer than {LONGEST_DIGEST} bytes")


def cost(nanoseconds: int, *, memory: int = 0) -> Cost:
    """What so many nanoseconds and bytes cost."""
    return Cost(memory=memory, milliseconds=nanoseconds // 1_000_000)
