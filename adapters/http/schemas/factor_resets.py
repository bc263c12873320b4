"""Resets of second factors."""

from adapters.http.schemas.base import RequestSchema, ResponseSchema, Timestamp, examples
from adapters.http.schemas.suspensions import Reason


class FactorReset(RequestSchema):
    """Why an operator takes a factor away. In the body, for addresses end up in logs."""

    model_config = examples({"reason": "Lost the telephone; called back at the desk"})

    reason: Reason


class FactorResetResponse(ResponseSchema):
    """When the factor is taken away, unless a second factor of the user's is used before."""

    model_config = examples({"due_at": "2026-02-01T12:00:00.000000Z"})

    due_at: Timestamp
