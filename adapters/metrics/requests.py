"""Requests, counted as cheaply as can be: a request pays for two look-ups in dictionaries."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BOUNDS = (*map(floatToGoString, _SECONDS), "+Inf")
_NONE = "none"


class _Durations:
    """How many took how long."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.sum = 0.0


class Requests(Collector):
    """`RequestCounts`. Told by the event loop alone, so that it needs no locks; read by whichever thread."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._answers: defaultdict[tuple[str | None, int | None], int] = defaultdict(int)
        self._durations: defaultdict[str | None, _Durations] = defaultdict(_Durations)

    def begun(self) -> None:
        """One more is being answered."""
        self._in_flight += 1

    def done(self, operation: str | None, status: int | None, seconds: float) -> None:
        """One has been answered, or given up."""
        self._in_flight -= 1
        self._answers[operation, status] += 1
        durations = self._durations[operation]
        durations.counts[bisect_left(_SECONDS, seconds)] += 1
        durations.sum += seconds

    def collect(self) -> Iterator[Metric]:
        in_flight = GaugeMetricFamily("hallporter_requests_in_flight", "Requests that are being answered.")
        in_flight.add_metric([], self._in_flight)
        yield in_flight
        answers = CounterMetricFamily(
            "hallporter_requests", "Requests, by route and status.", labels=["operation", "status"]
        )
        # Copied in one go: the event loop goes on counting.
        for (operation, status), count in self._answers.copy().items():
            answers.add_metric([operation or _NONE, str(status or _NONE)], count)
        yield answers
        durations = HistogramMetricFamily(
            "hallporter_request_seconds", "How long requests took, by route.", labels=["operation"]
        )
        for operation, found in self._durations.copy().items():
            durations.add_metric([operation or _NONE], _cumulated(found.counts.copy()), found.sum)
        yield durations


def _cumulated(counts: list[int]) -> list[tuple[str, float]]:
    return [(bound, sum(counts[: place + 1])) for place, bound in enumerate(_BOUNDS)]
