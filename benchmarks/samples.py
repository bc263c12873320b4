"""What one stretch of load came to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One stretch. Processor time is in seconds, latencies are in milliseconds.

    `processor` is that of the server and its children; `database` that of PostgreSQL, where it was looked at.
    """

    requests: int
    seconds: float
    processor: float
    database: float = 0.0
    median: float = 0.0
    p99: float = 0.0
    slowest: float = 0.0

    @property
    def cost(self) -> float:
        """Processor time of the server for one request, in microseconds."""
        return self.processor / self.requests * 1e6

    @property
    def whole_cost(self) -> float:
        """As `cost`, and that of PostgreSQL added."""
        return (self.processor + self.database) / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all do not exceed (nearest rank)."""
    if not values or not 0 < share <= 1:
        message = "there is no percentile of nothing"
        raise ValueError(message)
    return sorted(values)[math.ceil(share * len(values)) - 1]
