"""How all schemas behave."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, WithJsonSchema
from pydantic.config import JsonDict


def examples(*shown: JsonDict, **more: JsonValue) -> ConfigDict:
    """The configuration of a schema that shows these, and says `more` about itself, in OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": [*shown], **more})


class RequestSchema(BaseModel):
    """Input: no coercion (`"12"` is no integer), and no field that is not named."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class ResponseSchema(BaseModel):
    """Output."""

    model_config = ConfigDict(extra="forbid")


def _rfc3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


SAMPLE_ID = "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"

# As usually written; there is no type of its own for them in JSON.
JsonId = Annotated[UUID, Field(strict=False, json_schema_extra={"maxLength": 36})]
"""An id that callers send back."""

Timestamp = Annotated[
    datetime,
    PlainSerializer(_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000000Z"]}),
]
"""A moment in UTC as RFC 3339 has it, with `Z`."""

NextCursor = Annotated[str | None, Field(description="For the next page; null at the end.")]

# Of RFC 3339, with a zone and more digits than anybody needs.
_LONGEST_TIME = 64
# A time has no type of its own in JSON.
Moment = Annotated[AwareDatetime, Field(strict=False, json_schema_extra={"maxLength": _LONGEST_TIME})]
"""A moment that somebody else wrote, with a zone."""
