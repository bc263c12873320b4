"""What a scenario comes to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.findings import Finding
from benchmarks.rounds import Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Its figures, and what they were made of."""

    findings: Sequence[Finding]
    measured: Measured = field(default_factory=dict)
