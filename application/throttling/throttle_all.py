"""Counting what everybody does together."""

from application.ports.clock import Clock
from application.ports.rate_limiter import RateLimiter
from application.throttling.throttle_policy import ThrottlePolicy
from domain.throttling.throttle import Limit, Throttle

_EVERYBODY = "everybody"


class ThrottleAll:
    """Bound what costs us something, whoever asks for it. Asked only when it is about to be done."""

    def __init__(self, limiter: RateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._clock = clock
        self._policy = policy

    async def registration(self) -> None:
        """Count one user who is about to be made.

        Raises: Throttled, ThrottlesUnavailable.
        """
        await self._count("registration", self._policy.all_registrations)

    async def mail(self) -> None:
        """Count one wish of a stranger's for mail.

        Raises: Throttled, ThrottlesUnavailable.
        """
        await self._count("mail", self._policy.all_mails)

    async def _count(self, name: str, limit: Limit) -> None:
        await self._limiter.use(Throttle(owner=_EVERYBODY, name=name, limit=limit), at=self._clock.now())
