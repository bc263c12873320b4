"""Counting requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from application.ports.clock import Clock
from application.ports.rate_limiter import LocalRateLimiter, RateLimiter
from application.throttling.throttle_policy import RatePolicy, ThrottlePolicy
from domain.throttling.network import network_of, wider_network_of
from domain.throttling.throttle import Allowance, Limit, Throttle

# A customer may have as many networks as that.
_NETWORKS_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Counted:
    """A request that was counted: as what, what its network has left, and where it counts until when."""

    rate: RatePolicy
    allowance: Allowance
    counters: Sequence[tuple[Throttle, datetime]]


# What nobody can guess or gain by: shared counters would cost more than it guards.
_LOCAL = {RatePolicy.REFRESH, RatePolicy.PASSKEY_OPTIONS}


class ThrottleNetwork:
    """Bound what one network may ask for (DA-01), and what the networks of one customer may."""

    def __init__(self, limiter: RateLimiter, local: LocalRateLimiter, clock: Clock, policy: ThrottlePolicy) -> None:
        self._limiter = limiter
        self._local = local
        self._clock = clock
        self._policy = policy

    async def execute(self, *, rate: RatePolicy, network_address: str | None) -> Counted:
        """Count one request.

        Raises: Throttled, ThrottlesUnavailable.
        """
        throttles, now = self._throttles(rate, network_address), self._clock.now()
        allowances = await self._limiter_of(rate).use(*throttles, at=now)
        untils = [now + allowance.full_in for allowance in allowances]
        return Counted(rate, allowances[0], list(zip(throttles, untils, strict=True)))

    def limit_of(self, rate: RatePolicy) -> Limit:
        """How much one network has altogether."""
        policy = self._policy
        limits: Mapping[RatePolicy, Limit] = {
            RatePolicy.CREDENTIALS: policy.credentials,
            RatePolicy.REFRESH: policy.refreshes,
            RatePolicy.REGISTRATION: policy.registrations,
            RatePolicy.MAIL: policy.mails,
            RatePolicy.PASSKEY_OPTIONS: policy.passkey_options,
        }
        return limits[rate]

    async def forgive(self, counted: Counted) -> None:
        """Count that request no longer: it succeeded.

        Raises: ThrottlesUnavailable.
        """
        now = self._clock.now()
        # What has come back by itself meanwhile would be given twice.
        still_counted = [throttle for throttle, until in counted.counters if now < until]
        await self._limiter_of(counted.rate).give_back(*still_counted)

    def _limiter_of(self, rate: RatePolicy) -> RateLimiter:
        return self._local if rate in _LOCAL else self._limiter

    def _throttles(self, rate: RatePolicy, network_address: str | None) -> Sequence[Throttle]:
        limit = self.limit_of(rate)
        throttles = [Throttle(owner=network_of(network_address), name=rate, limit=limit)]
        wider = wider_network_of(network_address)
        if wider is not None:
            throttles.append(Throttle(owner=wider, name=rate, limit=Limit(_NETWORKS_TOGETHER * limit.count, limit.per)))
        return throttles
