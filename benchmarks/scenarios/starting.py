"""S8: how soon it answers, and what memory it takes."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.findings import Finding, at_most
from benchmarks.lab import HALLPORTER, Lab, Options
from benchmarks.processes import Server, clean_environment, free_port, serving
from benchmarks.ratios import Spread
from benchmarks.results import Results

_MEBI = 1024 * 1024
_IMPORTED = """
import json, time
began, before = time.perf_counter(), time.process_time()
import entrypoints.api
print(json.dumps({"seconds": time.perf_counter() - began, "processor": time.process_time() - before}))
"""
_IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Took:
    """How long something took, and what processor time of its own: on a busy machine, the one is not the other."""

    seconds: float
    processor: float
    resident: float = 0.0


def run(lab: Lab, options: Options) -> Results:
    """Start in each way there is, several times; the first time there is only once a home."""
    given = lab.settings(lab.database("starting"))
    with _started(lab, given):
        pass  # migrated
    given_database = [_started_once(lab, given) for _ in range(options.rounds)]
    first: list[_Took] = []
    again: list[_Took] = []
    for number in range(options.rounds):
        home = {"HALLPORTER_HOME": str(lab.folder / f"home-{number}")}
        first.append(_started_once(lab, home))
        again.append(_started_once(lab, home))
    imported = [_imported_once(lab.folder) for _ in range(options.rounds)]
    return Results(
        findings=[
            _timed("serve with a given database answers", given_database, 1.5),
            _timed("serve with the embedded database answers", again, 3.0),
            _timed("serve answers for the first time ever", first, 8.0),
            _timed("import of entrypoints.api", imported, 0.8),
            memory_of("memory after the start", [one.resident for one in given_database], 100),
        ]
    )


def after(lab: Lab) -> Results:
    """What the Hallporter that all scenarios shared takes after it all, once it is idle."""
    time.sleep(_IDLE_SECONDS)
    resident = lab.hallporter.resident_bytes() / _MEBI
    return Results(findings=[memory_of("memory after the benchmark", [resident], 140)])


def memory_of(what: str, mebibytes: list[float], bound: int) -> Finding:
    """Memory as a share of what it may be."""
    return Finding(
        scenario="s8",
        what=f"{what}, of {bound} MiB",
        found=Spread.of([each / bound for each in mebibytes]),
        target=at_most(1),
        absolute=f"{statistics.median(mebibytes):.0f} MiB",
    )


def _timed(what: str, taken: list[_Took], bound: float) -> Finding:
    seconds = statistics.median(one.seconds for one in taken)
    processor = statistics.median(one.processor for one in taken)
    return Finding(
        scenario="s8",
        what=f"{what}, of {bound:g} s",
        found=Spread.of([one.seconds / bound for one in taken]),
        target=at_most(1),
        absolute=f"{seconds:.2f} s, with {processor:.2f} s of processor time",
    )


def _started_once(lab: Lab, settings: dict[str, str]) -> _Took:
    with _started(lab, settings) as server:
        return _Took(
            seconds=server.seconds_to_answer,
            processor=server.processor_seconds_to_answer,
            resident=server.resident_bytes() / _MEBI,
        )


@contextmanager
def _started(lab: Lab, settings: dict[str, str]) -> Iterator[Server]:
    """As the README says, the worker included."""
    port = free_port()
    command = [*HALLPORTER, "serve", "--port", str(port)]
    with serving("starting", command, port=port, settings=settings, folder=lab.folder, probe="/readyz") as server:
        yield server


def _imported_once(folder: Path) -> _Took:
    settings = clean_environment({"HALLPORTER_HOME": str(folder / "home")})
    ran = subprocess.run([sys.executable, "-c", _IMPORTED], check=True, cwd=folder, env=settings, capture_output=True)
    return _Took(**json.loads(ran.stdout))
