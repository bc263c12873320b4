"""Ratios of what was measured next to each other."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of what the rounds say, and the least and the most that one of them says."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """That of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


def spread_of_ratios(ours: Sequence[float], limits: Sequence[float]) -> Spread:
    """How the one is to the other, round by round.

    A machine that others use is slow for a while and then fast again. What stands next to each other in time was slow
    or fast together: so ratios are taken within a round, and then their median, and never a ratio of medians.
    """
    if len(ours) != len(limits) or not ours:
        message = "every round measures both"
        raise ValueError(message)
    return Spread.of([one / other for one, other in zip(ours, limits, strict=True)])
