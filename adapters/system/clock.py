"""The machine's clock."""

from datetime import UTC, datetime

from application.ports.clock import Clock


class SystemClock:
    """`Clock` by the operating system."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def _is_clock(system: SystemClock) -> Clock:
    return system
