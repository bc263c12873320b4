"""Where refresh tokens are kept."""

from typing import Protocol

from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Session
from domain.sessions.token_family import TokenFamily


class RefreshTokenRepository(Protocol):
    """All generations of all token families, as hashes."""

    async def add(self, token: RefreshToken) -> None:
        """Keep a new generation of an existing session's family.

        Raises: SessionNotFound.
        """
        ...

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken, session: Session) -> None:
        """Keep the successor, that its predecessor was rotated, and the session, whose version counts up.

        What older ones still seal is forgotten. One write, for `write` or `begin`.

        Raises: ConcurrentUpdate when the session was changed or removed since it was loaded.
        """
        ...

    async def find_family(self, digest: bytes) -> TokenFamily | None:
        """The token with this SHA-256, its session and user, as they were at one moment. None for an unknown one."""
        ...

    async def find(self, digest: bytes) -> RefreshToken | None:
        """The token with this SHA-256."""
        ...
