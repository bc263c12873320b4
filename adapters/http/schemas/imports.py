"""Imports of users."""

from typing import Self
from uuid import UUID

from pydantic import Field
from pydantic.config import JsonDict

from adapters.http.schemas.base import NextCursor, ResponseSchema, Timestamp, examples
from domain.transfer.user_import import ImportMode, ImportState, RowFormat, RowReport, UserImport, Verdict

_EXAMPLE: JsonDict = {
    "id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
    "mode": "dry_run",
    "format": "ndjson",
    "state": "finished",
    "failure": None,
    "rows": 3,
    "accepted": 2,
    "exists": 0,
    "invalid": 1,
    "outcomes": [
        {"verdict": "accepted", "code": None, "password_format": "bcrypt", "count": 2},
        {"verdict": "invalid", "code": "invalid_email", "password_format": None, "count": 1},
    ],
    "created_at": "2026-01-31T12:00:00.000000Z",
    "started_at": "2026-01-31T12:00:01.000000Z",
    "finished_at": "2026-01-31T12:00:02.000000Z",
}


class ImportOutcome(ResponseSchema):
    """How many rows had the same verdict for the same reason."""

    verdict: Verdict
    code: str | None = Field(description="Why the user exists, or what is wrong with the row.")
    password_format: str | None = Field(description="What kind of password hash was found; null without one.")
    count: int


class ImportResponse(ResponseSchema):
    """A file of users on its way in."""

    model_config = examples(_EXAMPLE)

    id: UUID
    mode: ImportMode
    format: RowFormat
    state: ImportState
    failure: str | None = Field(description="Why it cannot go on: a stable code.")
    rows: int = Field(description="How many rows have their verdict by now.")
    accepted: int
    exists: int
    invalid: int
    outcomes: list[ImportOutcome]
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None

    @classmethod
    def of(cls, user_import: UserImport) -> Self:
        return cls(
            id=user_import.id,
            mode=user_import.mode,
            format=user_import.format,
            state=user_import.state,
            failure=user_import.failure,
            rows=user_import.rows,
            accepted=user_import.count(Verdict.ACCEPTED),
            exists=user_import.count(Verdict.EXISTS),
            invalid=user_import.count(Verdict.INVALID),
            outcomes=[
                ImportOutcome(
                    verdict=outcome.verdict, code=outcome.code, password_format=outcome.password_format, count=count
                )
                for outcome, count in sorted(user_import.tally.items(), key=lambda item: (item[0].verdict, -item[1]))
            ],
            created_at=user_import.created_at,
            started_at=user_import.started_at,
            finished_at=user_import.finished_at,
        )


class ImportRowResponse(ResponseSchema):
    """What became of one row."""

    model_config = examples(
        {
            "number": 3,
            "line": 4,
            "verdict": "invalid",
            "code": "invalid_email",
            "field": "email",
            "detail": "This is not an e-mail address that can receive mail.",
            "password_format": None,
            "user_id": None,
        }
    )

    number: int = Field(description="The row, counted from 1.")
    line: int = Field(description="The line of the file in which it begins.")
    verdict: Verdict
    code: str | None
    field: str | None
    detail: str | None = Field(description="For people; never repeats what stands in the row.")
    password_format: str | None
    user_id: UUID | None = Field(description="Who came of an accepted row; null in a dry run.")

    @classmethod
    def of(cls, report: RowReport) -> Self:
        return cls(**report._asdict())


class ImportList(ResponseSchema):
    """Imports, newest first."""

    items: list[ImportResponse]
    next_cursor: NextCursor


class ImportRowList(ResponseSchema):
    """What became of rows, in their order."""

    items: list[ImportRowResponse]
    next_cursor: NextCursor
