"""The command."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.postgres.own_server import EmbeddedPostgresError
from benchmarks.conversation import WrongAnswer
from benchmarks.findings import Finding
from benchmarks.import_users import ImportFailed
from benchmarks.lab import Lab, Options, open_lab
from benchmarks.plot import svg
from benchmarks.processes import NoStart
from benchmarks.report import absolute_lines, as_json, findings_table, samples_table
from benchmarks.results import Results
from benchmarks.scenarios import SCENARIOS, starting

_LEAST_ROWS = 1_000
_MOST_ROWS = 10_000_000
_KNOWN = ", ".join(f"{name} ({scenario.title})" for name, scenario in SCENARIOS.items())
_STARTING = "s8"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and say what came of it."""
    asked = _parser().parse_args(arguments)
    options = Options(rounds=asked.rounds, seconds=asked.seconds, rows=asked.rows)
    try:
        with tempfile.TemporaryDirectory() as folder, open_lab(Path(folder)) as lab:
            results = _all_run(lab, asked.only, options)
    except (WrongAnswer, ImportFailed) as wrong:
        sys.exit(f"Nothing was measured, for something answered wrongly. {wrong}")
    except (NoStart, EmbeddedPostgresError) as problem:
        sys.exit(str(problem))
    findings = [finding for result in results.values() for finding in result.findings]
    _print(results, findings)
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_json(results, options), indent=1) + "\n")
    if asked.plot is not None:
        asked.plot.write_text(svg(findings))


def _all_run(lab: Lab, names: Sequence[str], options: Options) -> dict[str, Results]:
    results = {}
    for name in names:
        sys.stderr.write(f"{name}: {SCENARIOS[name].title}\n")
        results[name] = SCENARIOS[name].run(lab, options)
        # All of it takes long: whoever looks on need not wait for the end.
        sys.stderr.write(findings_table(results[name].findings) + "\n")
    if lab.has_shared_hallporter and _STARTING in results:
        # What it takes after all the others have worked it.
        found = [*results[_STARTING].findings, *starting.after(lab).findings]
        results[_STARTING] = Results(findings=found, measured=results[_STARTING].measured)
    return results


def _print(results: Mapping[str, Results], findings: Sequence[Finding]) -> None:
    parts = [findings_table(findings)]
    if any(result.measured for result in results.values()):
        parts.append("On this machine, at this moment:\n\n" + samples_table(results))
    if lines := absolute_lines(findings):
        parts.append("\n".join(lines))
    sys.stdout.write("\n\n".join(parts) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How near Hallporter comes to the limit, in ratios. docs/performance.md says what they mean.",
    )
    parser.add_argument(
        "--only", type=_scenarios, default=[*SCENARIOS], metavar="s1,s4", help=f"these of {_KNOWN}; all by default"
    )
    parser.add_argument("--rounds", type=_rounds, default=5, help="how often everything is measured, 5 by default")
    parser.add_argument("--seconds", type=_seconds, default=4.0, help="how long each time, 4 by default")
    parser.add_argument(
        "--rows", type=_rows, default=1_000_000, help="users in the large table and in the import, 1000000 by default"
    )
    parser.add_argument("--json", type=_file, metavar="FILE", help="write everything there, with every round of it")
    parser.add_argument("--plot", type=_file, metavar="FILE", help="draw the figures there, as SVG")
    return parser


def _scenarios(text: str) -> list[str]:
    names = [name.strip().lower() for name in text.split(",")]
    for name in names:
        if name not in SCENARIOS:
            message = f"there is no {name or 'scenario without a name'}; there are {_KNOWN}"
            raise argparse.ArgumentTypeError(message)
    return sorted(set(names))


def _rounds(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:  # noqa: PLR2004  (nobody waits for more)
        message = f"{text} is no number of rounds: 1 to 100"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= 600:  # noqa: PLR2004  (too short to see a hash, and longer than tokens last)
        message = f"{text} is no time to measure for: 0.5 to 600 seconds"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _rows(text: str) -> int:
    if not text.isdecimal() or not _LEAST_ROWS <= int(text) <= _MOST_ROWS:
        message = f"{text} is no number of rows: {_LEAST_ROWS} to {_MOST_ROWS}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _file(text: str) -> Path:
    file = Path(text)
    if file.is_dir() or not file.absolute().parent.is_dir():
        message = f"{text} cannot be written: it is a folder, or in one that is not there"
        raise argparse.ArgumentTypeError(message)
    return file
