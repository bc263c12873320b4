"""For how long nobody is served when the database's primary dies and its standby takes over.

`uv run python -m benchmarks.failover --rounds 5`. Whoever promotes is told at once that the primary is gone: what is
measured is promoting, and finding the new one. How soon somebody notices is up to who watches.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adapters.postgres.own_server import EmbeddedPostgresError
from benchmarks.lab import HALLPORTER
from benchmarks.people import newcomer
from benchmarks.processes import NoStart, ask, free_port, serving
from tests.standby import primary_and_standby

_GOOD = range(200, 300)


def round_of(folder: Path) -> tuple[float, float]:
    """Seconds from the primary's death until the standby takes writes, and until everybody is served again."""
    port = free_port()
    with primary_and_standby(folder / "home", folder / "copy") as pair:
        settings = {"DATABASE_URL": pair.url, "SECRET_KEY": secrets.token_urlsafe(48), "REFRESH_GRACE_SECONDS": "60"}
        command = [*HALLPORTER, "serve", "--port", str(port)]
        with serving("Hallporter", command, port=port, settings=settings, folder=folder, probe="/readyz") as server:
            ada = newcomer(server, "ada@example.com")
            body = {"refresh_token": ada.refresh_token}

            def until(ask_once: Callable[[], tuple[int, object]]) -> float:
                while ask_once()[0] not in _GOOD:
                    pass
                return time.perf_counter()

            pair.kill_primary()
            died = time.perf_counter()
            with ThreadPoolExecutor() as callers:
                reading = callers.submit(until, lambda: ask(port, "GET", "/v1/users/me", token=ada.access_token))
                writing = callers.submit(until, lambda: ask(port, "POST", "/v1/sessions/refresh", body))
                pair.promote()
                promoted = time.perf_counter()
                served = max(reading.result(), writing.result())
    return promoted - died, served - died


def main(arguments: Sequence[str] | None = None) -> None:
    """Let one take over from the other, some times."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often")
    rounds: list[tuple[float, float]] = []
    try:
        for _ in range(parser.parse_args(arguments).rounds):
            with tempfile.TemporaryDirectory(prefix="hallporter-failover-") as folder:
                rounds.append(round_of(Path(folder)))
    except (EmbeddedPostgresError, NoStart) as problem:
        sys.exit(str(problem))
    for told, seconds in zip(("promoted after", "served again after"), zip(*rounds, strict=True), strict=True):
        most, least = max(seconds), min(seconds)
        print(f"{told}: {statistics.median(seconds):.2f} s ({least:.2f} to {most:.2f})")  # noqa: T201  (what it is for)


if __name__ == "__main__":
    main()
