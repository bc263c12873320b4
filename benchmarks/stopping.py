"""How long it takes to stop while everybody goes on asking, and who is left without an answer.

`uv run python -m benchmarks.stopping --rounds 5`. Callers keep their connections, and go on until an answer says that
it was the last one.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.postgres.own_server import EmbeddedPostgresError
from benchmarks.lab import open_lab
from benchmarks.people import PASSWORD, newcomer
from benchmarks.processes import NoStart, Server
from tests.faults.kept_connections import Caller, request

_READERS, _SIGNING_IN = 14, 2
_BEFORE = 1_000


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: how long it took, what was answered until then, and who was not."""

    seconds: float
    answered: int
    failed: int
    wrong: int


async def _stopped(server: Server, number: int) -> Stop:
    ada = newcomer(server, f"ada{number}@example.com")
    netloc = server.address.removeprefix("http://")
    me = request(netloc, "GET", "/v1/users/me", token=ada.access_token)
    sign_in = request(netloc, "POST", "/v1/sessions", {"email": f"ada{number}@example.com", "password": PASSWORD})
    callers = [Caller(netloc, me) for _ in range(_READERS)] + [Caller(netloc, sign_in) for _ in range(_SIGNING_IN)]
    calling = [asyncio.create_task(caller.call()) for caller in callers]
    while sum(len(caller.statuses) for caller in callers) < _BEFORE:  # noqa: ASYNC110  (there is no event that says so)
        await asyncio.sleep(0.005)
    began = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    await asyncio.gather(*calling)
    await asyncio.to_thread(server.process.wait)
    return Stop(
        seconds=time.perf_counter() - began,
        answered=sum(len(caller.statuses) for caller in callers),
        failed=sum(bool(caller.failed) for caller in callers),
        wrong=sum(status not in {200, 201} for caller in callers for status in caller.statuses),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Stop it under load, some times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stopping", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often")
    stops: list[Stop] = []
    try:
        with tempfile.TemporaryDirectory(prefix="hallporter-stopping-") as folder, open_lab(Path(folder)) as lab:
            database = lab.database("stopping")
            for number in range(parser.parse_args(arguments).rounds):
                with lab.serving_hallporter(database) as server:
                    stops.append(asyncio.run(_stopped(server, number)))
    except (EmbeddedPostgresError, NoStart) as problem:
        sys.exit(str(problem))
    seconds = [stop.seconds for stop in stops]
    print(  # noqa: T201  (what it is for)
        f"stopped after: {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})\n"
        f"answers: {sum(stop.answered for stop in stops)}, of which neither 200 nor 201: "
        f"{sum(stop.wrong for stop in stops)}; connections that were cut: {sum(stop.failed for stop in stops)}"
    )


if __name__ == "__main__":
    main()
