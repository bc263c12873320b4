"""A request as the network counts it that it comes from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from application.ports.rate_limiter import RateLimiter
from application.throttling.throttle_policy import Rate
from domain.throttling.throttle import Allowance, Throttle, Throttled


@dataclass(slots=True)
class Visit:
    """One request: what it counts as, in which counters, and what became of it.

    It is counted by itself, or together with what is guessed in it, but once.
    """

    rate: Rate
    throttles: Sequence[Throttle]
    allowance: Allowance | None = None
    """What its network has left, once it is counted."""
    refusal: Throttled | None = None
    """That there is nothing left."""
    used: Sequence["Used"] = ()
    """What can be given back."""

    def note(self, allowances: Iterable[Allowance], *, at: datetime) -> None:
        """That it was counted."""
        self.used = [Used(*one, at) for one in zip(self.throttles, allowances, strict=True)]
        self.allowance = self.used[0].allowance

    def take_back(self) -> Sequence["Used"]:
        """What can be given back, and no longer after this."""
        used, self.used = self.used, ()
        return used


@dataclass(frozen=True, slots=True)
class Used:
    """One use of a counter, and what it left."""

    throttle: Throttle
    allowance: Allowance
    at: datetime


async def use(limiter: RateLimiter, *throttles: Throttle, visit: Visit | None = None, at: datetime) -> Sequence[Used]:
    """Use these once, and before them those of a visit that is not counted yet: in one go.

    Raises: Throttled, which is the visit's `refusal` where it is its network that has nothing left;
    ThrottlesUnavailable.
    """
    if visit is None or visit.allowance is not None or visit.refusal is not None:
        allowances = await limiter.use(*throttles, at=at)
    else:
        try:
            left = await limiter.use(*visit.throttles, *throttles, at=at)
        except Throttled as refusal:
            if refusal.throttle in visit.throttles:
                visit.refusal = refusal
            else:
                visit.note(refusal.before[: len(visit.throttles)], at=at)
            raise
        visit.note(left[: len(visit.throttles)], at=at)
        allowances = left[len(visit.throttles) :]
    return [Used(*one, at) for one in zip(throttles, allowances, strict=True)]


async def give_back(limiter: RateLimiter, used: Iterable[Used], *, at: datetime) -> None:
    """Take back what still counts.

    Raises: ThrottlesUnavailable.
    """
    # What has come back by itself meanwhile would be given twice.
    await limiter.give_back(*(one.throttle for one in used if at < one.at + one.allowance.full_in))
