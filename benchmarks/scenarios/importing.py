"""S9: moving in, beside a bare COPY of the same rows into the same table."""

import tempfile
from pathlib import Path

from benchmarks.findings import Finding, at_most
from benchmarks.import_users import compared
from benchmarks.lab import Lab, Options
from benchmarks.ratios import Spread
from benchmarks.results import Results

_MOST_MIB = 150


def run(lab: Lab, options: Options) -> Results:
    """As `python -m benchmarks.import_users`, once: the rounds of a million rows would take long."""
    with tempfile.TemporaryDirectory(dir=lab.folder) as folder:
        (one,) = compared(Path(folder), [options.rows])
    what = f"import of {one.rows:,} users, rate of a bare COPY"
    memory = Spread.of([one.applied.peak_mib / _MOST_MIB])
    return Results(
        findings=[
            Finding(scenario="s9", what=what, found=Spread.of([one.share])),
            Finding(
                scenario="s9",
                what=f"memory of the import, of {_MOST_MIB} MiB",
                found=memory,
                target=at_most(1),
                absolute=f"{one.applied.peak_mib:.0f} MiB",
            ),
        ]
    )
