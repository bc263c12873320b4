"""Probes."""

from typing import Literal

from adapters.http.schemas.base import ResponseSchema


class HealthResponse(ResponseSchema):
    """All is well; anything else is a problem."""

    status: Literal["ok"] = "ok"
