"""Measuring several things in turn."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.samples import Sample

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: `measure` loads it for so many seconds."""

    name: str
    measure: Callable[[float], Sample]


type Measured = dict[str, list[Sample]]
"""What each subject came to, round by round."""


def interleaved(subjects: Sequence[Subject], *, rounds: int, seconds: float) -> Measured:
    """Measure all subjects in turn, and again, so that what slows the machine for a while slows them alike.

    Before the first round each is loaded for a moment that does not count: connections are opened, statements prepared.

    Raises: WrongAnswer.
    """
    for subject in subjects:
        subject.measure(min(seconds, _WARM_UP_SECONDS))
    measured: Measured = {subject.name: [] for subject in subjects}
    for number in range(rounds):
        for subject in subjects:
            sys.stderr.write(f"  round {number + 1} of {rounds}: {subject.name}\n")
            measured[subject.name].append(subject.measure(seconds))
    return measured
