"""The machine's chance."""

import secrets
from datetime import datetime
from uuid import UUID

from application.ports.randomness import Randomness

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


class SystemRandomness:
    """`Randomness` from the operating system."""

    def secret(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def uuid(self, *, at: datetime) -> UUID:
        milliseconds = int(at.timestamp() * 1000)
        chance_a, chance_b = secrets.randbits(12), secrets.randbits(62)
        return UUID(int=milliseconds << 80 | _VERSION_7 | chance_a << 64 | _VARIANT | chance_b)


def _is_randomness(system: SystemRandomness) -> Randomness:
    return system
