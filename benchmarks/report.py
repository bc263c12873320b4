"""What came of a run, for people and for programs."""

import platform
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from benchmarks.findings import Finding
from benchmarks.lab import Options
from benchmarks.machine import cores
from benchmarks.results import Results
from benchmarks.samples import Sample

_VERDICTS = {True: "met", False: "**not met**", None: ""}


def findings_table(findings: Iterable[Finding]) -> str:
    """The figures, as a table of Markdown. They are ratios and counts: machines differ in all else."""
    rows = [
        [
            finding.scenario,
            finding.what,
            figure(finding.found.median),
            _range(finding),
            str(finding.target or ""),
            _VERDICTS[finding.is_met],
        ]
        for finding in findings
    ]
    return _table(["", "what", "median", "rounds", "target", ""], rows)


def samples_table(results: Mapping[str, Results]) -> str:
    """What the figures were made of, as it was on this machine: medians of the rounds."""
    rows = [[name, *_row(subject, samples)] for name, subject, samples in _measured(results)]
    header = ["", "what", "requests/s", "CPU µs/request", "with PostgreSQL's", "p50 ms", "p99 ms"]
    return _table(header, rows)


def absolute_lines(findings: Iterable[Finding]) -> list[str]:
    """What was no ratio at first, as it was on this machine."""
    return [f"{finding.what}: {finding.absolute}" for finding in findings if finding.absolute]


def as_json(results: Mapping[str, Results], options: Options) -> dict[str, object]:
    """Everything, with every round of it."""
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": asdict(options),
        "machine": {"cores": cores(), "python": platform.python_version(), "system": platform.system()},
        "findings": [_finding(finding) for result in results.values() for finding in result.findings],
        "measured": [
            {
                "scenario": name,
                "what": subject,
                "rounds": [asdict(sample) | {"microseconds_of_processor": sample.cost} for sample in samples],
            }
            for name, subject, samples in _measured(results)
        ],
    }


def figure(value: float) -> str:
    """A number as people read it: counts whole, ratios with two digits that mean something."""
    if value == int(value):
        return str(int(value))
    if value >= 10:  # noqa: PLR2004  (where a hundredth says nothing)
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"  # noqa: PLR2004  (where it says too little)


def _finding(finding: Finding) -> dict[str, object]:
    target = finding.target
    return {
        "scenario": finding.scenario,
        "what": finding.what,
        **asdict(finding.found),
        "target": target.value if target is not None else None,
        "bound": target.bound.name.lower() if target is not None else None,
        "is_met": finding.is_met,
        "absolute": finding.absolute,
    }


def _range(finding: Finding) -> str:
    found = finding.found
    return "" if found.lowest == found.highest else f"{figure(found.lowest)} to {figure(found.highest)}"


def _measured(results: Mapping[str, Results]) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    for name, result in results.items():
        for subject, samples in result.measured.items():
            yield name, subject, samples


def _row(subject: str, samples: Sequence[Sample]) -> list[str]:
    def median(values: Iterable[float], form: str) -> str:
        found = statistics.median(values)
        # What was not looked at.
        return format(found, form) if found else ""

    return [
        subject,
        median((sample.rate for sample in samples), ",.0f"),
        median((sample.cost for sample in samples), ",.0f"),
        median((sample.whole_cost if sample.database else 0.0 for sample in samples), ",.0f"),
        median((sample.median for sample in samples), ",.1f"),
        median((sample.p99 for sample in samples), ",.1f"),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [_line(header, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
