"""Problems (RFC 9457)."""

from pydantic import BaseModel, Field

from domain.sessions.sign_in_attempt import Reference


class FieldProblem(BaseModel):
    """One rule that one field breaks."""

    pointer: str = Field(
        description="JSON Pointer (RFC 6901) into the body; `?name` for a query parameter, `Name:` for a header."
    )
    code: str
    detail: str


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it. `code` is the stable part."""

    type: str
    title: str
    status: int
    code: str
    instance: str = Field(description="The request, as `urn:uuid:` and the value of `X-Request-Id`.")
    detail: str | None = None
    reference: str | None = Field(
        default=None,
        pattern=Reference.PATTERN,
        description="At a refused sign-in: what an operator finds out by why it was. To be read out, if need be.",
    )
    errors: list[FieldProblem] | None = None
