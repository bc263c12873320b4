"""Counting requests."""

from collections.abc import Mapping, Sequence

from application.ports.clock import Clock
from application.ports.rate_limiter import LocalRateLimiter, RateLimiter
from application.throttling.throttle_policy import RatePolicy, ThrottlePolicy
from domain.throttling.network import network_of
from domain.throttling.throttle import Allowance, Limit, Throttle

_EVERYBODY = "everybody"


class ThrottleNetwork:
    """Bound what one network may ask for, and everybody together where each request costs us something (DA-01)."""

    def __init__(self, limiter: RateLimiter, local: LocalRateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._local = local
        self._clock = clock
        self._policy = policy

    async def execute(self, *, rate: RatePolicy, network_address: str | None) -> Allowance:
        """Count one request; what the network has left.

        Raises: Throttled, ThrottlesUnavailable.
        """
        throttles = self._throttles(rate, network_address)
        return (await self._limiter_of(rate).use(*throttles, at=self._clock.now()))[0]

    def limit_of(self, rate: RatePolicy) -> Limit:
        """How much one network has altogether."""
        return self._limits(rate)[0]

    async def forgive(self, *, rate: RatePolicy, network_address: str | None) -> None:
        """Count one request less: it succeeded.

        Raises: ThrottlesUnavailable.
        """
        await self._limiter_of(rate).give_back(*self._throttles(rate, network_address))

    def _limiter_of(self, rate: RatePolicy) -> RateLimiter:
        return self._local if rate is RatePolicy.REFRESH else self._limiter

    def _throttles(self, rate: RatePolicy, network_address: str | None) -> Sequence[Throttle]:
        of_one, of_all = self._limits(rate)
        throttles = [Throttle(owner=network_of(network_address), name=rate, limit=of_one)]
        if of_all is not None:
            throttles.append(Throttle(owner=_EVERYBODY, name=rate, limit=of_all))
        return throttles

    def _limits(self, rate: RatePolicy) -> tuple[Limit, Limit | None]:
        """Of one network, and of everybody together."""
        policy = self._policy
        limits: Mapping[RatePolicy, tuple[Limit, Limit | None]] = {
            RatePolicy.CREDENTIALS: (policy.credentials, None),
            RatePolicy.REFRESH: (policy.refreshes, None),
            RatePolicy.REGISTRATION: (policy.registrations, policy.all_registrations),
            RatePolicy.MAIL: (policy.mails, policy.all_mails),
        }
        return limits[rate]
