"""Whether the worker of this process is alive."""

import time
from collections.abc import Callable


class Heartbeat:
    """Is told whenever the worker's own connection has answered. Before it is begun there is no worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None

    @property
    def silence(self) -> float | None:
        """Seconds since it was last heard of, or began; None where there is no worker, or not any more."""
        return self._clock() - self._last if self._last is not None else None

    def beat(self) -> None:
        """It has begun, or is alive."""
        self._last = self._clock()

    def end(self) -> None:
        """Expect nothing more."""
        self._last = None
