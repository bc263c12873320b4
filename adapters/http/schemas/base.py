"""How all schemas behave."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema


class RequestSchema(BaseModel):
    """Input: no coercion (`"12"` is no integer), and no field that is not named."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ResponseSchema(BaseModel):
    """Output."""

    model_config = ConfigDict(extra="forbid")


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000000Z"]}),
]
"""A moment in UTC as RFC 3339 has it, with `Z`."""
