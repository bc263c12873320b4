"""Where refresh tokens are kept."""

from typing import Protocol

from domain.sessions.refresh_token import RefreshToken


class RefreshTokenRepository(Protocol):
    """All generations of all token families, as hashes."""

    async def add(self, token: RefreshToken) -> None:
        """Keep a new generation of an existing session's family.

        Raises: SessionNotFound.
        """
        ...

    async def find(self, digest: bytes) -> RefreshToken | None:
        """The token with this SHA-256."""
        ...
