"""Chance that repeats."""

import random
from datetime import datetime
from uuid import UUID

from application.ports.randomness import Randomness


class MemoryRandomness:
    """The same sequence for the same seed, for tests. UUIDs count up, so that order is the order of making."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311  (predictable by design)
        self._made = 0

    def secret(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def uuid(self, *, at: datetime) -> UUID:
        self._made += 1
        milliseconds = int(at.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | self._made)


def _is_randomness(memory: MemoryRandomness) -> Randomness:
    return memory
