"""The machine's chance."""

import secrets
from datetime import datetime
from uuid import UUID

from application.ports.randomness import Randomness

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
# The bits beside those: twelve behind the version, 62 behind the variant.
_CHANCE = 0xFFF << 64 | (1 << 62) - 1


class SystemRandomness:
    """`Randomness` from the operating system."""

    def secret(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def uuid(self, *, at: datetime) -> UUID:
        milliseconds = int(at.timestamp() * 1000)
        chance = int.from_bytes(secrets.token_bytes(10))
        return UUID(int=milliseconds << 80 | _VERSION_7 | (chance & _CHANCE) | _VARIANT)


def _is_randomness(system: SystemRandomness) -> Randomness:
    return system
