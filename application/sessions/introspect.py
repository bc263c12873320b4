"""Is this access token live?"""

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.access_tokens import AccessTokens
from domain.sessions.access_token import AccessTokenClaims
from domain.sessions.principal import Principal
from domain.sessions.session import InvalidAccessToken
from domain.users.user import AdminRequired


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """What a live token says, and whose it is."""

    claims: AccessTokenClaims
    principal: Principal


class Introspect:
    """Tell a service whether an access token of ours still counts, which its signature alone does not (RFC 7662)."""

    def __init__(self, unit_of_work: UnitOfWork, access_tokens: AccessTokens, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._access_tokens = access_tokens
        self._clock = clock

    async def execute(self, *, caller: Principal, token: str) -> Introspection | None:
        """The token if it is live, or None for every other one alike.

        Raises: AdminRequired.
        """
        if not caller.user.is_admin:
            raise AdminRequired
        try:
            claims = await self._access_tokens.verify(token)
        except InvalidAccessToken:
            return None
        async with self._unit_of_work.read() as tx:
            principal = await tx.sessions.find_live(claims.session_id, at=self._clock.now())
        if principal is None or principal.user_id != claims.subject:
            return None
        return Introspection(claims=claims, principal=principal)
