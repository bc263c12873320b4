"""Everything that is counted in one process, and put into Prometheus' words.

No label holds what somebody sent: each is the name of something in the code, so that there are as many series as these
allow, whatever is asked for and by whom.
"""

import asyncio
from collections.abc import Sequence
from platform import python_version

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest

from adapters.metrics.readings import Readings
from adapters.metrics.requests import Requests
from application.throttling.throttle_policy import Rate
from domain.events import Event
from domain.mfa.factor import FactorGuessesUsedUp, FactorRefused
from domain.mfa.sign_in_challenge import SignInChallengePosed
from domain.sessions.session import GuessesUsedUp, RefusalReason, SessionStarted, SignInRefused

# All others are of guesses, and are called after networks and devices.
_LIMITS = frozenset(Rate)
_GUESSES = "guesses"
_OUTCOMES: dict[type[Event], str] = {
    SessionStarted: "signed_in",
    SignInChallengePosed: "factor_asked_for",
    FactorRefused: "factor_refused",
    GuessesUsedUp: "guesses_used_up",
    FactorGuessesUsedUp: "factor_guesses_used_up",
}


class Meters:
    """Counts, and tells. What it counts comes from the event loop alone."""

    def __init__(self, readings: Readings, *, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = Requests()
        self.registry.register(self._requests)
        self._throttled = Counter(
            "hallporter_throttled", "Requests refused for there were too many.", ["limit"], registry=self.registry
        )
        self._events = Counter("hallporter_events", "Events committed here.", ["event"], registry=self.registry)
        self._sign_ins = Counter(
            "hallporter_sign_ins", "How sign-ins went, step by step.", ["outcome"], registry=self.registry
        )
        self._mails = Counter(
            "hallporter_mail_attempts", "How attempts to send mail from here went.", ["outcome"], registry=self.registry
        )
        build = Gauge("hallporter_build_info", "Always 1.", ["version", "python"], registry=self.registry)
        build.labels(version, python_version()).set(1)
        # What has not happened yet is told as zero: from nothing to one, Prometheus would see no change.
        for outcome in (*RefusalReason, *_OUTCOMES.values()):
            self._sign_ins.labels(outcome)
        for limit in (*_LIMITS, _GUESSES):
            self._throttled.labels(limit)
        for outcome in ("sent", "delayed", "refused", "failed"):
            self._mails.labels(outcome)
        self._readings = readings
        self.registry.register(readings)
        ProcessCollector(registry=self.registry)

    def request_begun(self) -> None:
        """As `RequestCounts` has it, and the next one too."""
        self._requests.begun()

    def request_done(self, operation: str | None, status: int | None, seconds: float, throttle: str | None) -> None:
        self._requests.done(operation, status, seconds)
        if throttle is not None:
            self._throttled.labels(throttle if throttle in _LIMITS else _GUESSES).inc()

    def events_happened(self, events: Sequence[Event]) -> None:
        """Count what has been committed."""
        for event in events:
            self._events.labels(event.name).inc()
            outcome = event.reason.value if isinstance(event, SignInRefused) else _OUTCOMES.get(type(event))
            if outcome is not None:
                self._sign_ins.labels(outcome).inc()

    def mail_tried(self, outcome: str) -> None:
        """Count an attempt to send a mail: `sent`, `delayed`, `refused` or `failed`."""
        self._mails.labels(outcome).inc()

    async def rendered(self) -> bytes:
        """All of it, as Prometheus reads it."""
        await self._readings.refresh()
        # Takes some milliseconds, in which requests should go on.
        return await asyncio.to_thread(generate_latest, self.registry)
