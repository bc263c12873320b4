"""Sealing under a token."""

from typing import Protocol

from domain.ids import SessionId
from domain.sessions.refresh_token import RefreshTokenSecret


class TokenSealer(Protocol):
    """Keeps a text so that only whoever holds a certain refresh token can read it.

    We cannot, and neither can a thief of our database.
    """

    def seal(self, text: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str:
        """The text, sealed."""
        ...

    def open(self, sealed: str, *, under: RefreshTokenSecret, session_id: SessionId) -> str | None:
        """The text again, or None for another token or session."""
        ...
