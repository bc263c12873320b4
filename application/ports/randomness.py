"""Chance."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Randomness(Protocol):
    """Makes what nobody can guess, and what nobody made before."""

    def secret(self, size: int) -> bytes:
        """`size` bytes from a cryptographically secure source."""
        ...

    def uuid(self, *, at: datetime) -> UUID:
        """A new UUIDv7 of that moment (RFC 9562 section 5.7): unique and sorting by time, and no secret."""
        ...
