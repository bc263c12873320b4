"""The servers of a database, of which one takes writes: now this one, and after a failover another (fault 6)."""

from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no stubs
from asyncpg.exceptions import TargetServerAttributeNotMatched  # type: ignore[import-untyped]

# It is gone, getting up or going down: perhaps another one is there. Whoever refuses our password is asked no further.
_TRY_THE_NEXT = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)


class NoPrimaryError(ConnectionError):
    """Of several servers, those that answer take no writes: none was promoted yet."""


class Servers:
    """Connects to the one that does what is asked of it (`target_session_attrs`), beginning with the one that last did.

    The driver would look through several by itself, but gives all together the time that one may take: behind a machine
    that is gone without a word, nobody would ever come to the next.
    """

    def __init__(self) -> None:
        self._last = 0

    async def connect(self, *, host: Any = None, port: Any = None, **options: object) -> Any:  # noqa: ANN401  (as the driver's)
        """As `connect` of the driver, with lists of hosts and ports where there are several. `timeout` is for each.

        Raises: NoPrimaryError, or what the last one of them raised.
        """
        places = list(zip(host, port, strict=True)) if isinstance(host, list) else [(host, port)]
        failures: list[Exception] = []
        for number in (*range(self._last, len(places)), *range(self._last)):
            host, port = places[number]
            try:
                connection = await asyncpg.connect(host=host, port=port, **options)
            except (*_TRY_THE_NEXT, TargetServerAttributeNotMatched) as failure:
                failures.append(failure)
            else:
                self._last = number
                return connection
        if any(isinstance(failure, TargetServerAttributeNotMatched) for failure in failures):
            raise NoPrimaryError from failures[-1]
        raise failures[-1]
