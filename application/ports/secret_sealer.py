"""Sealing secrets at rest."""

from typing import Protocol


class SecretSealer(Protocol):
    """Keeps a text so that a copy of the database does not show it."""

    def seal(self, text: str, *, purpose: str, owner: str) -> str:
        """The text, sealed for one purpose and one owner. The same text twice gives two results."""
        ...

    def open(self, sealed: str, *, purpose: str, owner: str) -> str | None:
        """The text again, or None for another purpose or owner, or under another root key."""
        ...
