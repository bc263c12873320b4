"""Where refresh tokens are kept."""

from typing import Protocol

from domain.sessions.refresh_token import RefreshToken
from domain.sessions.token_family import TokenFamily


class RefreshTokenRepository(Protocol):
    """All generations of all token families, as hashes."""

    async def add(self, token: RefreshToken) -> None:
        """Keep a new generation of an existing session's family.

        Raises: SessionNotFound.
        """
        ...

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken) -> None:
        """Keep the successor, and that its predecessor was rotated; what older ones still seal is forgotten.

        Only with the session locked.
        """
        ...

    async def lock_family(self, digest: bytes) -> TokenFamily | None:
        """The token with this SHA-256, its session and user, as they stand now. None for an unknown one.

        The session is nobody else's to lock or save until this transaction ends; waits up to a second for whoever has
        it. Only inside `begin`.

        Raises: DatabaseUnavailable.
        """
        ...

    async def find(self, digest: bytes) -> RefreshToken | None:
        """The token with this SHA-256."""
        ...
