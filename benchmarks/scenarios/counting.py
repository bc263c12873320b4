"""S7: how often a request waits for PostgreSQL. Counted and not timed, so the same on every machine."""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import count

from benchmarks.conversation import WrongAnswer
from benchmarks.findings import Finding, at_most, exactly
from benchmarks.lab import Lab, Options
from benchmarks.people import PASSWORD
from benchmarks.processes import Server, ask
from benchmarks.results import Results
from benchmarks.round_trips import RoundTrips, counted

# Each connection of the pool prepares a statement when it first sends it.
_WARM_UP = 30
_COUNTED = 20
_AFTERWARDS_SECONDS = 0.5
TARGETS: Mapping[str, int] = {"who am I": 1, "sign in": 4, "register": 3, "refresh": 3}
"""Round trips to PostgreSQL, BEGIN and COMMIT among them."""


def run(lab: Lab, options: Options) -> Results:  # noqa: ARG001  (a count needs no rounds)
    """Read off the wire what each operation asks of PostgreSQL."""
    return asyncio.run(_counted(lab, lab.database("counting")))


async def _counted(lab: Lab, database: str) -> Results:
    async with counted(database) as (trips, url):
        found = await asyncio.to_thread(_operations_counted, lab, url, trips)
    return Results(
        findings=[
            Finding(scenario="s7", what=f"round trips to {name}", found=exactly(number), target=at_most(TARGETS[name]))
            for name, number in found.items()
        ]
    )


def _operations_counted(lab: Lab, url: str, trips: RoundTrips) -> dict[str, float]:
    with lab.serving_hallporter(url, "Hallporter, counted") as server:
        person = _Person(server)
        operations = {
            "register": person.register,
            "sign in": person.sign_in,
            "refresh": person.refresh,
            "who am I": person.who_am_i,
        }
        return {name: _each_takes(operation, trips) for name, operation in operations.items()}


def _each_takes(operation: Callable[[], None], trips: RoundTrips) -> float:
    """What an operation takes once everything is prepared, what it leaves to be done after its answer included."""
    for _ in range(_WARM_UP):
        operation()
    time.sleep(_AFTERWARDS_SECONDS)
    trips.seen.clear()
    for _ in range(_COUNTED):
        operation()
    time.sleep(_AFTERWARDS_SECONDS)
    return len(trips.seen) / _COUNTED


class _Person:
    """Somebody who does one thing after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = count()
        self._email = ""
        self._told: dict[str, object] = {}

    def register(self) -> None:
        self._email = f"counted-{next(self._numbers)}@example.com"
        self._ask(201, "POST", "/v1/users", {"email": self._email, "password": PASSWORD})

    def sign_in(self) -> None:
        self._told = self._ask(201, "POST", "/v1/sessions", {"email": self._email, "password": PASSWORD})

    def refresh(self) -> None:
        body = {"refresh_token": self._told["refresh_token"]}
        self._told = self._ask(200, "POST", "/v1/sessions/refresh", body)

    def who_am_i(self) -> None:
        self._ask(200, "GET", "/v1/users/me", None, token=str(self._told["access_token"]))

    def _ask(self, expected: int, method: str, path: str, body: object, token: str = "") -> dict[str, object]:
        status, told = ask(self._server.port, method, path, body, token)
        if status != expected:
            message = f"{self._server.name}: {method} {path} is answered by {status} {told}"
            raise WrongAnswer(message)
        return told
