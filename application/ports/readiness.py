"""Whether the world is ready for us."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from domain.errors import Unavailable


class NotReady(Unavailable):
    """The service cannot work yet, or not now."""

    code = "not_ready"
    title = "The service is not ready"

    def __init__(self) -> None:
        super().__init__(retry_after=timedelta(seconds=2))


class Readiness(Protocol):
    """Looks whether requests can be served."""

    async def problems(self) -> Sequence[str]:
        """What stands in the way, a sentence each; empty when all is well. Never raises."""
        ...
