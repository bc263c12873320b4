"""What an access token says (RFC 9068)."""

from dataclasses import dataclass
from datetime import datetime

from domain.ids import SessionId, UserId
from domain.sessions.authentication_method import AuthenticationMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTokenClaims:
    """The claims of RFC 9068 section 2.2 and the session (`sid`). Times have whole seconds.

    `roles` (section 2.2.3.1) is for services that verify offline; here those count that the user has now (AD-05).
    """

    issuer: str
    audience: str
    subject: UserId
    session_id: SessionId
    client_id: str
    token_id: str
    issued_at: datetime
    expires_at: datetime
    authenticated_at: datetime
    methods: tuple[AuthenticationMethod, ...]
    roles: tuple[str, ...] = ()
