"""Argon2 (RFC 9106)."""

import hmac
import re
from dataclasses import dataclass
from typing import Literal

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from adapters.crypto.foreign_hashes.known_hash import Cost, malformed, too_costly
from adapters.crypto.foreign_hashes.limits import MOST_LANES, Nanoseconds, cost, expect_digest, expect_salt
from adapters.crypto.foreign_hashes.notation import from_base64, number, parts_of, to_base64

type Variant = Literal["argon2d", "argon2i", "argon2id"]

_TYPES = {"argon2d": Type.D, "argon2i": Type.I, "argon2id": Type.ID}
_WRITTEN = re.compile(
    r"\$(argon2id|argon2i|argon2d)\$(?:v=([0-9]+)\$)?m=([0-9]+),t=([0-9]+),p=([0-9]+)\$([^$]*)\$([^$]*)"
)
_OLDEST_VERSION, _VERSION = 16, 19
_SHORTEST_SALT = 8
_KIB_PER_LANE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Hash:
    """Any variant, in version 1.0 or 1.3, of any number of lanes, without a secret or associated data."""

    format: str
    version: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    digest: bytes

    def __post_init__(self) -> None:
        if self.version not in {_OLDEST_VERSION, _VERSION}:
            raise malformed(detail="there is no such version of Argon2")
        if self.lanes > MOST_LANES:
            raise too_costly(detail=f"it has more than {MOST_LANES} lanes")
        if self.passes < 1 or self.lanes < 1 or self.memory_kib < _KIB_PER_LANE * self.lanes:
            raise malformed(detail="Argon2 takes at least one pass, one lane and 8 KiB for each lane")
        expect_salt(self.salt, shortest=_SHORTEST_SALT)
        expect_digest(self.digest)

    @property
    def encoded(self) -> str:
        parameters = f"m={self.memory_kib},t={self.passes},p={self.lanes}"
        return f"${self.format}$v={self.version}${parameters}${to_base64(self.salt)}${to_base64(self.digest)}"

    @property
    def cost(self) -> Cost:
        return cost(self.memory_kib * self.passes * Nanoseconds.ARGON2_BLOCK, memory=self.memory_kib * 1024)

    def matches(self, password: bytes) -> bool:
        try:
            digest = hash_secret_raw(
                password,
                self.salt,
                time_cost=self.passes,
                memory_cost=self.memory_kib,
                parallelism=self.lanes,
                hash_len=len(self.digest),
                type=_TYPES[self.format],
                version=self.version,
            )
        except HashingError as failed:
            # Of parameters that passed it only fails for want of memory or threads.
            raise MemoryError from failed
        return hmac.compare_digest(digest, self.digest)


def read_argon2(written: str) -> Argon2Hash:
    """In the PHC notation.

    Raises: UnusableHash.
    """
    variant, version, memory_kib, passes, lanes, salt, digest = parts_of(written, _WRITTEN, "Argon2")
    return Argon2Hash(
        format=variant,
        version=number(version) if version else _OLDEST_VERSION,
        memory_kib=number(memory_kib),
        passes=number(passes),
        lanes=number(lanes),
        salt=from_base64(salt),
        digest=from_base64(digest),
    )
