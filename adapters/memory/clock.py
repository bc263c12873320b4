"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta

from application.ports.clock import Clock


class MemoryClock:
    """Shows a fixed time; `advance` moves it."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by


def _is_clock(memory: MemoryClock) -> Clock:
    return memory
