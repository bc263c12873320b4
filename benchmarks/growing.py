"""What a second process and PgBouncer cost, and how much of the work is PostgreSQL's.

`uv run python -m benchmarks.growing`, with `pgbouncer` installed. Ratios of processor time for each request, taken
within a round; PgBouncer's own is not in them.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from adapters.postgres.urls import asyncpg_url
from benchmarks.conversation import CARRIED, Answer, Client, Load, Request, WrongAnswer
from benchmarks.lab import HALLPORTER, Lab, open_lab
from benchmarks.loading import sampled
from benchmarks.people import newcomer
from benchmarks.processes import NoStart, Server, free_port, serving
from benchmarks.ratios import spread_of_ratios
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample
from benchmarks.scenarios import refresh, who_am_i
from benchmarks.scenarios.hashing import CLIENTS, signing_in
from benchmarks.scenarios.shapes import TOKENS
from tests.pgbouncer import PgBouncer

_ONE, _TWO, _POOLED = "who am I", "who am I, two processes", "who am I, by PgBouncer"
_SIGN_IN, _REFRESH = "sign in", "refresh"
# Tokens of one are good at all.
_ISSUER = {"PUBLIC_URL": "http://127.0.0.1:8000"}


@contextmanager
def _hallporter(lab: Lab, *options: str, **settings: str) -> Iterator[Server]:
    port = free_port()
    command = [*HALLPORTER, "serve", "--no-worker", "--port", str(port), *options]
    given = lab.settings(lab.url("shared")) | _ISSUER | settings
    with serving("Hallporter", command, port=port, settings=given, folder=lab.folder, probe="/readyz") as server:
        yield server


def measured(lab: Lab, *, rounds: int, seconds: float) -> dict[str, list[Sample]]:
    """Each of them, round by round, with PostgreSQL's part."""
    lab.database("shared")
    with ExitStack() as running:
        one = running.enter_context(_hallporter(lab))
        two = running.enter_context(_hallporter(lab, "--workers", "2"))
        (lab.folder / "pgbouncer").mkdir()
        pooler = PgBouncer.running(lab.folder / "pgbouncer", asyncpg_url(lab.url("shared")), connections=10)
        url = running.enter_context(pooler).url.replace("+asyncpg", "")
        pooled = running.enter_context(_hallporter(lab, DATABASE_POOLER_URL=url))
        person = newcomer(one, "ada@example.com")
        signers = signing_in(one)

        def load(server: Server, make: Callable[[float], Load]) -> Callable[[float], Sample]:
            def measure(seconds: float) -> Sample:
                before = lab.database_processor_seconds()
                sample = sampled(server, make(seconds))
                return replace(sample, database=lab.database_processor_seconds() - before)

            return measure

        def asking(server: Server) -> Callable[[float], Sample]:
            return load(server, lambda seconds: who_am_i.load_of(server, person, seconds=seconds))

        def refreshing(seconds: float) -> Load:
            body = json.dumps({"refresh_token": CARRIED})
            request = Request(method="POST", path=refresh.PATH, body=body)
            tokens = [newcomer(one, f"refresh-{number}@example.com").refresh_token for number in range(CLIENTS)]
            clients = tuple(Client(requests=(request,), carries="refresh_token", carried=token) for token in tokens)
            return Load(port=one.port, clients=clients, right=(Answer(status=200, fields=TOKENS),), seconds=seconds)

        opened = (Answer(status=201, fields=TOKENS),)
        signing = partial(Load, port=one.port, clients=signers, right=opened)
        subjects = [
            Subject(_ONE, asking(one)),
            Subject(_TWO, asking(two)),
            Subject(_POOLED, asking(pooled)),
            Subject(_SIGN_IN, load(one, lambda seconds: signing(seconds=seconds))),
            Subject(_REFRESH, load(one, refreshing)),
        ]
        return interleaved(subjects, rounds=rounds, seconds=seconds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print what it comes to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long each time")
    asked = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="hallporter-growing-") as folder, open_lab(Path(folder)) as lab:
            found = measured(lab, rounds=asked.rounds, seconds=asked.seconds)
    except (NoStart, WrongAnswer) as problem:
        sys.exit(str(problem))
    for name in (_TWO, _POOLED):
        for part, cost in (("Hallporter", "processor"), ("PostgreSQL", "database")):
            _tell(
                f"{name}: {part}'s time, of one process without it",
                _costs(found[name], cost),
                _costs(found[_ONE], cost),
            )
    for name in (_ONE, _REFRESH, _SIGN_IN):
        _tell(
            f"{name}: PostgreSQL's time, of Hallporter's",
            _costs(found[name], "database"),
            _costs(found[name], "processor"),
        )
    for name in (_REFRESH, _SIGN_IN):
        _tell(
            f"{name}: Hallporter's time, of who am I",
            _costs(found[name], "processor"),
            _costs(found[_ONE], "processor"),
        )


def _costs(samples: Sequence[Sample], part: str) -> list[float]:
    return [getattr(sample, part) / sample.requests for sample in samples]


def _tell(what: str, ours: Sequence[float], others: Sequence[float]) -> None:
    spread = spread_of_ratios(ours, others)
    print(f"{what}: {spread.median:.2f} ({spread.lowest:.2f} to {spread.highest:.2f})")  # noqa: T201  (what it is for)


if __name__ == "__main__":
    main()
