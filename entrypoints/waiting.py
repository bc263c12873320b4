"""Waiting for a database that is away at the start (fault 3)."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import cast

import structlog

from adapters.postgres.problems import DatabaseAway
from application.ports.readiness import Readiness
from application.ports.unit_of_work import DatabaseUnavailable

_log = structlog.get_logger("hallporter.startup")

# Seconds. With the two that an attempt to connect may take, and the start itself, within five of its return.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
_RETRY_AFTER = timedelta(seconds=2)


class AwaitedUseCases:
    """Stands where the use cases will be: whoever wants one is told when to come back, and probes are told why."""

    def __init__(self, problem: str) -> None:
        self._problem = problem

    def resolve[T](self, service: type[T], /) -> T:
        """Nothing but what probes ask.

        Raises: DatabaseUnavailable.
        """
        if service is Readiness:
            return cast("T", self)
        raise DatabaseUnavailable(retry_after=_RETRY_AFTER)

    async def problems(self) -> Sequence[str]:
        """As `Readiness` has it."""
        return [self._problem]


async def once_there[T](begin: Callable[[], Awaitable[T]]) -> T:
    """What `begin` comes to. While the database is away, it is begun anew.

    Raises: whatever it raises but DatabaseAway.
    """
    said = None
    for pause in _pauses():
        try:
            return await begin()
        except DatabaseAway as away:
            if said != (said := str(away)):
                _log.warning("database.awaited", problem=said)
        # Processes that wait together do not come back together (fault 9).
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
    raise AssertionError


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_readiness(awaited: AwaitedUseCases) -> Readiness:
    return awaited
