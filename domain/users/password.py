"""Passwords as people type them, and as they are kept."""

import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Password:
    """What a person typed, in the form that is hashed: Unicode NFC, and otherwise to the letter (PW-02)."""

    text: str = field(repr=False)

    @classmethod
    def typed(cls, text: str) -> "Password":
        """Bring what was typed into normal form, so that every keyboard spells the same password alike."""
        return cls(unicodedata.normalize("NFC", text))


@dataclass(frozen=True, slots=True)
class NewPassword(Password):
    """A password that a `PasswordPolicy` has accepted. Nothing else makes one."""


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password. Only the hasher that made it can read it."""

    encoded: str = field(repr=False)
