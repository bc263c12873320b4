"""Who is calling?"""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.access_tokens import AccessTokens
from domain.sessions.principal import Principal
from domain.sessions.session import InvalidAccessToken


class Authenticate:
    """Find out who holds an access token. The one way in: every protected route goes through it.

    A signature proves only what was true when it was made, so the session and the user are read each time, in one
    statement: whoever signs out or is suspended is out at once.
    """

    def __init__(self, unit_of_work: UnitOfWork, access_tokens: AccessTokens, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._access_tokens = access_tokens
        self._clock = clock

    async def execute(self, *, access_token: str) -> Principal:
        """The user and the session behind the token.

        Raises: InvalidAccessToken, for every cause alike.
        """
        claims = await self._access_tokens.verify(access_token)
        async with self._unit_of_work.read() as tx:
            principal = await tx.sessions.find_live(claims.session_id, at=self._clock.now())
        if principal is None or principal.user_id != claims.subject:
            raise InvalidAccessToken
        return principal
