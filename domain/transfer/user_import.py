"""The import: a file of users, and what became of each of its rows."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from domain.errors import Conflict, InvalidInput, NotFound, Violation
from domain.events import Aggregate
from domain.ids import UserId, UserImportId
from domain.transfer.transfer_events import UserImportStarted, UsersImported

MAX_FIELD_LENGTH = 64
MAX_SOURCE_ID_LENGTH = 255


class ImportMode(StrEnum):
    """Whether the users of a file come to be, or it is only said what would become of them."""

    DRY_RUN = "dry_run"
    APPLY = "apply"


class RowFormat(StrEnum):
    """How rows are written."""

    NDJSON = "ndjson"
    CSV = "csv"


class ImportState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class Verdict(StrEnum):
    """What became of a row."""

    ACCEPTED = "accepted"
    EXISTS = "exists"
    INVALID = "invalid"


class AlreadyImported(Conflict):
    """Somebody with this id of a former system is here."""

    code = "already_imported"
    title = "This user is here already"


class ImportNotFound(NotFound):
    """No such import, or it is long over."""

    code = "import_not_found"
    title = "There is no such import"


class ImportIsOver(Conflict):
    """Nothing is left to be done."""

    code = "import_is_over"
    title = "This import is over"


class UnreadableFile(InvalidInput):
    """No row can be read for what is wrong with the file as a whole."""

    code = "unreadable_file"
    title = "The file cannot be read"


class AnotherFile(InvalidInput):
    """An import goes on with the file that it began with."""

    code = "another_file"
    title = "This is not the file that the import began with"


def unreadable_file(detail: str) -> UnreadableFile:
    """The refusal of a whole file."""
    return UnreadableFile([Violation("file", UnreadableFile.code, detail)])


def another_file() -> AnotherFile:
    """The refusal of a file that differs in what has been read already."""
    detail = "Up to where the import stopped, this file differs from the one it began with. Begin a new import."
    return AnotherFile([Violation("file", AnotherFile.code, detail)])


class Outcome(NamedTuple):
    """What rows have in common that are counted together."""

    verdict: Verdict
    code: str | None = None
    password_format: str | None = None


class RowReport(NamedTuple):
    """What became of one row. `number` counts rows from 1, `line` the lines of the file.

    `field` and `detail` say what is wrong with an invalid one, and never repeat what stands there. `user_id` is who
    came of an accepted one, unless it was only tried.
    """

    number: int
    line: int
    verdict: Verdict
    code: str | None = None
    field: str | None = None
    detail: str | None = None
    password_format: str | None = None
    user_id: UserId | None = None

    @property
    def outcome(self) -> Outcome:
        """What it counts as."""
        return Outcome(self.verdict, self.code, self.password_format)


@dataclass(slots=True, kw_only=True)
class UserImport(Aggregate):
    """A file of users on its way in.

    `rows` have been judged, without a gap from the first one on, and counted in `tally`. `fingerprint` is a digest of
    the file up to there, and `sealed_key` what it is keyed with: it says no more than that a file is the same.
    """

    id: UserImportId
    mode: ImportMode
    format: RowFormat
    by: UserId | None
    state: ImportState = ImportState.WAITING
    failure: str | None = None
    rows: int = 0
    tally: Counter[Outcome] = field(default_factory=Counter)
    fingerprint: bytes = b""
    sealed_key: str = field(repr=False)
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime

    @classmethod
    def prepare(
        cls,
        *,
        id: UserImportId,
        mode: ImportMode,
        format: RowFormat,
        sealed_key: str,
        at: datetime,
        by: UserId | None = None,
    ) -> Self:
        """A new one, of which nothing has been read."""
        made = cls(id=id, mode=mode, format=format, by=by, sealed_key=sealed_key, created_at=at, updated_at=at)
        made.record(UserImportStarted(user_id=None, occurred_at=at, import_id=id, mode=mode, by=by))
        return made

    @property
    def applies(self) -> bool:
        """Whether the users come to be."""
        return self.mode is ImportMode.APPLY

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done. One that failed can go on."""
        return self.state is ImportState.FINISHED

    def count(self, verdict: Verdict) -> int:
        """How many rows were judged so."""
        return sum(count for outcome, count in self.tally.items() if outcome.verdict is verdict)

    def begin(self, *, at: datetime) -> None:
        """Begin, or go on where it stopped.

        Raises: ImportIsOver.
        """
        if self.is_over:
            raise ImportIsOver
        self.state = ImportState.RUNNING
        self.failure = None
        self.started_at = self.started_at or at
        self.updated_at = at

    def judge(self, reports: Iterable[RowReport], *, fingerprint: bytes, at: datetime) -> None:
        """Count what became of the next rows, up to which the file has this fingerprint.

        One event for all of them: a million entries that say the same would bury those of everybody else.
        """
        first = self.rows + 1
        found = Counter(report.outcome for report in reports)
        self.tally += found
        self.rows += found.total()
        self.fingerprint = fingerprint
        self.updated_at = at
        accepted = sum(count for outcome, count in found.items() if outcome.verdict is Verdict.ACCEPTED)
        if self.applies and accepted:
            self.record(
                UsersImported(
                    user_id=None,
                    occurred_at=at,
                    import_id=self.id,
                    first_row=first,
                    last_row=self.rows,
                    count=accepted,
                    by=self.by,
                )
            )

    def finish(self, *, at: datetime) -> None:
        """Every row has its verdict."""
        self.state = ImportState.FINISHED
        self.finished_at = self.updated_at = at

    def fail(self, code: str, *, at: datetime) -> None:
        """It cannot go on by itself; `code` says why. What counts already stays."""
        self.state = ImportState.FAILED
        self.failure = code
        self.finished_at = self.updated_at = at
