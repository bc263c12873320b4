"""The throttle: a counter of what one owner has done of late.

It is the generic cell rate algorithm (ITU-T I.371): all that is kept is the moment at which the counter will be full
again. Each use moves it one interval ahead, and none may move it further ahead than the whole period.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import TooManyAttempts

MAX_OWNER_LENGTH = 64
MAX_NAME_LENGTH = 80


class Throttled(TooManyAttempts):
    """Too much was asked for in too short a time. `throttle` is what was used up.

    `before` is what those have left that were asked before it, and were used.
    """

    code = "too_many_attempts"
    title = "Too many attempts; wait before you try again"

    def __init__(
        self,
        throttle: "Throttle",
        *,
        retry_after: timedelta,
        reference: str | None = None,
        before: Sequence["Allowance"] = (),
    ) -> None:
        super().__init__(retry_after=retry_after, reference=reference)
        self.throttle = throttle
        self.before = before


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and then one after each `interval`: at most twice `count` in any `per`."""

    count: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.count < 1 or self.interval <= timedelta(0):
            message = "a limit lets one through, and not more than one in a microsecond"
            raise ValueError(message)

    @property
    def interval(self) -> timedelta:
        """How long it takes for one to come back."""
        return self.per / self.count

    def used_once(self, full_at: datetime | None, *, at: datetime) -> datetime | None:
        """When the counter is full again after one more use now; None where there is nothing left to use.

        `full_at` is when it would have been, and None for a counter that nobody has used.
        """
        moved = max(full_at or at, at) + self.interval
        return moved if moved - at <= self.interval * self.count else None

    def allowance(self, full_at: datetime, *, at: datetime) -> "Allowance":
        """What is left of a counter."""
        whole = self.interval * self.count
        return Allowance(limit=self, remaining=max(0, (whole - (full_at - at)) // self.interval), full_in=full_at - at)

    def retry_after(self, full_at: datetime, *, at: datetime) -> timedelta:
        """How long until there is one again."""
        return max(full_at - self.interval * (self.count - 1) - at, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left: so many at once, and all of them again after `full_in`."""

    limit: Limit
    remaining: int
    full_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """One counter: whose it is, what it counts, and how much of it there is."""

    owner: str
    name: str
    limit: Limit

    def __post_init__(self) -> None:
        if not 0 < len(self.owner) <= MAX_OWNER_LENGTH or not 0 < len(self.name) <= MAX_NAME_LENGTH:
            message = "a throttle has an owner and a name, neither of them long"
            raise ValueError(message)
