"""What a run found, and whether that is what is aimed at."""

from dataclasses import dataclass
from enum import Enum

from benchmarks.ratios import Spread


class Bound(Enum):
    """Which way a target is met."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is aimed at."""

    bound: Bound
    value: float

    def is_met_by(self, value: float) -> bool:
        return value >= self.value if self.bound is Bound.AT_LEAST else value <= self.value

    def share_of(self, value: float) -> float:
        """1 where the target is met just so, and more where it is exceeded."""
        return value / self.value if self.bound is Bound.AT_LEAST else self.value / max(value, 1e-9)

    def __str__(self) -> str:
        return f"{self.bound.value} {self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure. `absolute` is what it was on this machine, which says nothing about others."""

    scenario: str
    what: str
    found: Spread
    target: Target | None = None
    absolute: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether it is what is aimed at; None where nothing is."""
        return self.target.is_met_by(self.found.median) if self.target is not None else None


def at_least(value: float) -> Target:
    """So much or more."""
    return Target(bound=Bound.AT_LEAST, value=value)


def at_most(value: float) -> Target:
    """So much or less."""
    return Target(bound=Bound.AT_MOST, value=value)


def exactly(value: float) -> Spread:
    """What was counted, and does not vary."""
    return Spread(value, value, value)
