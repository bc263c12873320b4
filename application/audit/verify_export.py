"""Verifying an export of the audit log, where nothing of ours runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from application.audit.exports import End, Header, Line, MalformedExport, read
from domain.audit.chain import SealedEntry
from domain.audit.checkpoint import Checkpoint
from domain.audit.verification import Finding, KnownCheckpoint, Problem, Report, Verifier

MAX_LINE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedExport:
    """What an export is of, and what was found."""

    header: Header
    report: Report


def verify_export(
    lines: Iterable[bytes],
    *,
    is_signed: Callable[[Checkpoint], bool | None],
    kept: Sequence[KnownCheckpoint] = (),
) -> VerifiedExport:
    """What is wrong first, if anything is. `is_signed` is asked of each checkpoint in the export itself.

    Raises: MalformedExport, with the number of the line.
    """
    numbered = _read(lines)
    number, header = next(numbered, (1, None))
    if not isinstance(header, Header):
        raise _malformed(number, "is not the header of an export of the audit log")
    checkpoints: list[KnownCheckpoint] = [*kept]
    verifier: Verifier | None = None
    for number, line in numbered:
        match line:
            case Checkpoint() if verifier is None:
                checkpoints.append(KnownCheckpoint(claims=line.claims, is_signed=is_signed(line)))
            case SealedEntry():
                verifier = verifier or Verifier(checkpoints)
                if not verifier.see(line):
                    report = verifier.report(is_end=False)
                    return VerifiedExport(header=header, report=_misplaced(report, numbered))
            case End(entries=entries):
                verifier = verifier or Verifier(checkpoints)
                return VerifiedExport(header=header, report=_ended(verifier, entries, number, numbered))
            case _:
                raise _malformed(number, "stands where no such line does")
    return VerifiedExport(header=header, report=_cut_off(verifier or Verifier(checkpoints)))


def _read(lines: Iterable[bytes]) -> Iterator[tuple[int, Line]]:
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise _malformed(number, "is longer than any line of an export")
        try:
            yield number, read(line.decode().removesuffix("\n"))
        except UnicodeDecodeError:
            raise _malformed(number, "is not UTF-8") from None
        except MalformedExport as malformed:
            raise _malformed(number, str(malformed)) from None


def _misplaced(report: Report, rest: Iterator[tuple[int, Line]]) -> Report:
    """Tell an entry that stands further on from one that is gone."""
    problem = report.problem
    if problem is None or problem.what is not Finding.MISSING:
        return report
    for _, line in rest:
        if isinstance(line, SealedEntry) and line.position == problem.position:
            found = replace(problem, what=Finding.OUT_OF_ORDER, sequence=line.entry.sequence)
            return replace(report, problem=found)
    return report


def _ended(verifier: Verifier, entries: int, number: int, rest: Iterator[tuple[int, Line]]) -> Report:
    if entries < verifier.position:
        raise _malformed(number, f"says that there are {entries} entries, and there are {verifier.position}")
    behind = next(rest, None)
    if behind is not None:
        raise _malformed(behind[0], "stands behind the end")
    return verifier.report(is_end=True) if entries == verifier.position else _cut_off(verifier)


def _cut_off(verifier: Verifier) -> Report:
    report = verifier.report(is_end=True)
    if report.problem is not None:
        return report
    last = verifier.sequence if verifier.position else None
    problem = Problem(what=Finding.TRUNCATED, position=verifier.position + 1, sequence=None, after_sequence=last)
    return replace(report, problem=problem)


def _malformed(number: int, what: str) -> MalformedExport:
    return MalformedExport(f"Line {number} {what}.")
