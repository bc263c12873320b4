"""Counting requests."""

from collections.abc import Mapping, Sequence

from application.ports.clock import Clock
from application.ports.rate_limiter import LocalRateLimiter, RateLimiter
from application.throttling.throttle_policy import Rate, ThrottlePolicy
from application.throttling.visit import Visit, give_back, use
from domain.throttling.network import network_of, wider_network_of
from domain.throttling.throttle import Limit, Throttle

# A customer may have as many networks as that.
_NETWORKS_TOGETHER = 16


# What nobody can guess or gain by: shared counters would cost more than it guards.
_LOCAL = {Rate.REFRESH, Rate.PASSKEY_OPTIONS}


class ThrottleNetwork:
    """Bound what one network may ask for (DA-01), and what the networks of one customer may."""

    def __init__(self, limiter: RateLimiter, local: LocalRateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._local = local
        self._clock = clock
        self._policy = policy

    def visit(self, *, rate: Rate, network_address: str | None) -> Visit:
        """A request that is to be counted."""
        return Visit(rate, self._throttles(rate, network_address))

    async def count(self, visit: Visit) -> None:
        """Count it, if it has not been yet.

        Raises: Throttled, ThrottlesUnavailable.
        """
        if visit.refusal is not None:
            raise visit.refusal
        if visit.allowance is None:
            await use(self._limiter_of(visit.rate), visit=visit, at=self._clock.now())

    def limit_of(self, rate: Rate) -> Limit:
        """How much one network has altogether."""
        policy = self._policy
        limits: Mapping[Rate, Limit] = {
            Rate.CREDENTIALS: policy.credentials,
            Rate.REFRESH: policy.refreshes,
            Rate.REGISTRATION: policy.registrations,
            Rate.MAIL: policy.mails,
            Rate.PASSKEY_OPTIONS: policy.passkey_options,
        }
        return limits[rate]

    async def forgive(self, visit: Visit) -> None:
        """Count that request no longer: it succeeded.

        Raises: ThrottlesUnavailable.
        """
        await give_back(self._limiter_of(visit.rate), visit.take_back(), at=self._clock.now())

    def _limiter_of(self, rate: Rate) -> RateLimiter:
        return self._local if rate in _LOCAL else self._limiter

    def _throttles(self, rate: Rate, network_address: str | None) -> Sequence[Throttle]:
        limit = self.limit_of(rate)
        throttles = [Throttle(owner=network_of(network_address), name=rate, limit=limit)]
        wider = wider_network_of(network_address)
        if wider is not None:
            throttles.append(Throttle(owner=wider, name=rate, limit=Limit(_NETWORKS_TOGETHER * limit.count, limit.per)))
        return throttles
