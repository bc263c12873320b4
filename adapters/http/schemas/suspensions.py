"""Suspensions."""

from typing import Annotated, Self

from pydantic import Field

from adapters.http.schemas.base import Moment, RequestSchema, ResponseSchema, Timestamp, examples
from domain.users.suspension import MAX_REASON_LENGTH, Suspension

Reason = Annotated[
    str,
    Field(
        max_length=MAX_REASON_LENGTH,
        json_schema_extra={"minLength": 1},
        description="For operators; the user finds it in their own history and export.",
    ),
]


class SuspensionCreate(RequestSchema):
    """Why a user is kept out, and until when."""

    model_config = examples({"reason": "Sends spam", "until": "2126-01-31T12:00:00Z"})

    reason: Reason
    until: Moment | None = Field(default=None, description="With a zone; left out: until somebody reinstates the user.")


class SuspensionResponse(ResponseSchema):
    """A suspension."""

    model_config = examples(
        {"since": "2026-01-31T12:00:00.000000Z", "reason": "Sends spam", "until": "2126-01-31T12:00:00.000000Z"}
    )

    since: Timestamp
    reason: str
    until: Timestamp | None

    @classmethod
    def of(cls, suspension: Suspension) -> Self:
        return cls(since=suspension.since, reason=suspension.reason, until=suspension.until)
