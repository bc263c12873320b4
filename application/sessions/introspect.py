"""Is this access token live?"""

from dataclasses import dataclass

from application.mfa.required_enrolment import RequiredEnrolment
from application.sessions.access_tokens import AccessTokens
from application.sessions.authenticate import Authenticate
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.principal import Principal
from domain.sessions.session import InvalidAccessToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """What a live token says, and whose it is."""

    claims: AccessTokenClaims
    principal: Principal


class Introspect:
    """Tell a service whether an access token of ours still counts, which its signature alone does not (RFC 7662)."""

    def __init__(self, authenticate: Authenticate, access_tokens: AccessTokens, enrolment: RequiredEnrolment) -> None:
        self._authenticate = authenticate
        self._access_tokens = access_tokens
        self._enrolment = enrolment

    async def execute(self, *, token: str) -> Introspection | None:
        """The token if it is live, or None for every other one alike."""
        try:
            # Whether a token is live is decided in one place, for callers and for those who ask about them.
            principal = await self._authenticate.execute(access_token=token)
            claims = await self._access_tokens.verify(token)
        except InvalidAccessToken:
            return None
        if self._enrolment.is_due(principal) or self._access_tokens.is_for_enrolment(claims):
            # Live, and for nobody but us: whoever asks must not believe it, nor one that was issued before (MF-07).
            return None
        return Introspection(claims=claims, principal=principal)
