"""Hashes that only we can make."""

from typing import Protocol


class KeyedHash(Protocol):
    """Names things so that nobody without the root key can tell what is named, or make such a name."""

    def digest(self, text: str, *, purpose: str) -> bytes:
        """32 bytes: always the same for the same text and purpose, and others for any other."""
        ...
