"""Whether the audit log is what it was (LA-05). Pure: fed entry by entry, wherever they come from."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.audit.audit_entry import PersonalDetail
from domain.audit.chain import BEGINNING, Link, SealedEntry, commitment, leaf, next_hash
from domain.audit.checkpoint import CheckpointClaims


class Finding(StrEnum):
    """What is wrong."""

    EDITED = "edited"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"
    CHECKPOINT = "checkpoint does not match"
    TRUNCATED = "truncated"
    BAD_SIGNATURE = "bad signature"
    KEPT_OUT = "kept out of the chain"
    PERSONAL = "personal detail does not match its commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The first place at which something is wrong.

    `sequence` is that of the entry, and None where the entry is gone. `after_sequence` is that of the last one which is
    known to be right: the one before; or, where a checkpoint does not match, the one at the last checkpoint that does,
    for everything in between was made to fit. None is the beginning.
    """

    what: Finding
    position: int
    sequence: int | None
    after_sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCheckpoint:
    """A checkpoint to hold entries against. `is_signed` is None where there is no key to check that with."""

    claims: CheckpointClaims
    is_signed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was verified: entries from one position to another, and how many checkpoints they were held against.

    `destroyed` counts personal details that are gone, which is no problem. `unsealed` entries cannot be verified yet.
    Where `next_position` is one, there is more from there on.
    """

    from_position: int
    to_position: int
    entries: int
    checkpoints: int
    unsigned_checkpoints: int
    destroyed: int
    unsealed: int | None
    next_position: int | None
    problem: Problem | None


class Verifier:
    """Goes through entries in the order of their positions, until something is wrong.

    `after` is the link to begin behind, which is taken on trust; without it, it is the beginning.
    """

    def __init__(self, checkpoints: Iterable[KnownCheckpoint] = (), *, after: Link | None = None) -> None:
        start = after.position if after is not None else 0
        self._checkpoints = sorted(
            (known for known in checkpoints if known.claims.position > start),
            key=lambda known: known.claims.position,
        )
        self._start = start
        self._end = after or Link(position=0, sequence=0, chain_hash=BEGINNING)
        self._vouched: int | None = after.sequence if after is not None else None
        self._matched = self._unsigned = self._destroyed = 0
        self.problem: Problem | None = None

    @property
    def position(self) -> int:
        """How far it has come."""
        return self._end.position

    @property
    def sequence(self) -> int:
        """The sequence of the entry there."""
        return self._end.sequence

    def see(self, found: SealedEntry | Link) -> bool:
        """Look at what stands at the next position; a Link stands for an entry that is lost. Whether it is right."""
        if self.problem is not None:
            return False
        link = found if isinstance(found, Link) else found.link
        if link.position <= self._end.position:
            return self._wrong(Finding.OUT_OF_ORDER, link.position, link.sequence)
        if link.position > self._end.position + 1 or isinstance(found, Link):
            return self._wrong(Finding.MISSING, self._end.position + 1, None)
        expected = next_hash(self._end.chain_hash, link.position, leaf(found.entry))
        if not hmac.compare_digest(expected, link.chain_hash):
            return self._wrong(Finding.EDITED, link.position, link.sequence)
        if not all(
            _is_committed(detail, found.entry.commitments.get(name)) for name, detail in found.entry.personal.items()
        ):
            return self._wrong(Finding.PERSONAL, link.position, link.sequence)
        self._end = link
        self._destroyed += len(found.entry.commitments) - len(found.entry.personal)
        return self._hold_against(self._due())

    def see_kept_out(self, sequence: int) -> None:
        """There is an entry that has no place and will not be given one: written, or moved, by nobody of ours."""
        if self.problem is None:
            self._wrong(Finding.KEPT_OUT, self._end.position + 1, sequence)

    def report(self, *, is_end: bool, unsealed: int | None = None) -> Report:
        """The result. Where that `is_end` of the log, checkpoints further on show that there was more."""
        if self.problem is None and is_end and self._checkpoints:
            first = self._checkpoints[0]
            what = Finding.BAD_SIGNATURE if first.is_signed is False else Finding.TRUNCATED
            position = first.claims.position if first.is_signed is False else self._end.position + 1
            self._wrong(what, position, None)
        return Report(
            from_position=self._start + 1,
            to_position=self._end.position,
            entries=self._end.position - self._start,
            checkpoints=self._matched,
            unsigned_checkpoints=self._unsigned,
            destroyed=self._destroyed,
            unsealed=unsealed,
            next_position=None if is_end or self.problem is not None else self._end.position + 1,
            problem=self.problem,
        )

    def _due(self) -> Sequence[KnownCheckpoint]:
        """The checkpoints at this position: that of the log itself, and those that were kept elsewhere."""
        due = [known for known in self._checkpoints if known.claims.position == self._end.position]
        self._checkpoints = self._checkpoints[len(due) :]
        return due

    def _hold_against(self, due: Sequence[KnownCheckpoint]) -> bool:
        for known in due:
            claims = known.claims
            if known.is_signed is False:
                return self._not_vouched(Finding.BAD_SIGNATURE)
            said = (claims.sequence, claims.chain_hash, claims.entries)
            if said != (self._end.sequence, self._end.chain_hash.hex(), self._end.position):
                return self._not_vouched(Finding.CHECKPOINT)
            self._matched += 1
            self._unsigned += known.is_signed is None
        if due:
            self._vouched = self._end.sequence
        return True

    def _not_vouched(self, what: Finding) -> bool:
        end = self._end
        self.problem = Problem(what=what, position=end.position, sequence=end.sequence, after_sequence=self._vouched)
        return False

    def _wrong(self, what: Finding, position: int, sequence: int | None) -> bool:
        last = self._end.sequence if self._end.position else None
        self.problem = Problem(what=what, position=position, sequence=sequence, after_sequence=last)
        return False


def _is_committed(detail: PersonalDetail, committed: str | None) -> bool:
    try:
        return committed is not None and hmac.compare_digest(commitment(detail), committed)
    except ValueError:
        # A salt that is no hex, or a value that is no text.
        return False
