"""Resets of second factors."""

from adapters.http.schemas.base import ResponseSchema, Timestamp, examples


class FactorResetResponse(ResponseSchema):
    """When the factor is taken away, unless a second factor of the user's is used before."""

    model_config = examples({"due_at": "2026-02-01T12:00:00.000000Z"})

    due_at: Timestamp
