"""The keys to a session."""

from dataclasses import dataclass, field
from datetime import timedelta

from domain.ids import SessionId
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedTokens:
    """What a client holds after signing in or refreshing. The only time that the refresh token is seen."""

    session_id: SessionId
    user: User = field(repr=False)
    access_token: str = field(repr=False)
    access_token_lifetime: timedelta
    refresh_token: RefreshTokenSecret
    refresh_token_lifetime: timedelta
    device_token: str | None = field(default=None, repr=False)
    """What the device is known by from now on. Only after signing in."""
