"""Problems as the OpenAPI document has them: every status and code of every operation, with an example."""

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from adapters.http.headers import documented
from adapters.http.problems import (
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    MALFORMED_JSON,
    MEDIA_TYPE,
    REQUEST_TIMEOUT,
    UNSUPPORTED_MEDIA_TYPE,
    Refusal,
    status_of,
)
from adapters.http.route_policies import ROUTE_POLICIES, Access, RoutePolicy
from adapters.http.strict_json import MERGE_PATCH
from application.paging.cursors import InvalidCursor
from application.ports.rate_limiter import ThrottlesUnavailable
from application.ports.unit_of_work import DatabaseUnavailable, TransactionConflict
from domain.errors import ConcurrentUpdate, DomainError, InvalidFields, InvalidInput
from domain.idempotency.idempotent_request import IdempotencyInFlight, IdempotencyKeyReused
from domain.mfa.factor import InvalidFactor
from domain.mfa.passkey import InvalidPasskey
from domain.mfa.requirement import FactorEnrolmentRequired
from domain.recovery.one_time_token import InvalidToken
from domain.sessions.session import (
    InvalidAccessToken,
    InvalidCredentials,
    ReauthenticationRequired,
    SessionNotFound,
)
from domain.sessions.sign_in_attempt import Reference
from domain.throttling.throttle import Throttled
from domain.users.password_policy import PasswordRejected
from domain.users.roles import AdminRequired
from domain.users.user import UserNotFound

# What can come from every operation that works on data, has a body, is a list, or changes how users prove themselves.
WITH_DATA = (DatabaseUnavailable, TransactionConflict)
WITH_BODY = (*WITH_DATA, MALFORMED_JSON, REQUEST_TIMEOUT, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, InvalidFields)
WITH_PAGES = (InvalidFields, InvalidCursor)
WITH_OWN_CHANGE = (UserNotFound, SessionNotFound, ConcurrentUpdate)
# InvalidFields for its query: there is none that takes every parameter.
_OF_USER = (*WITH_DATA, InvalidAccessToken, InvalidFields)
_OF_ACCESS: Mapping[Access, tuple[type[DomainError], ...]] = {
    Access.ANYONE: (),
    Access.ANYONE_OR_USER: _OF_USER,
    Access.USER: _OF_USER,
    Access.RECENT_USER: (*_OF_USER, ReauthenticationRequired),
    Access.ADMIN: (*_OF_USER, AdminRequired),
    Access.RECENT_ADMIN: (*_OF_USER, AdminRequired, ReauthenticationRequired),
}


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


_SCHEMA = "#/components/schemas/{model}"
_VIOLATIONS: dict[type[DomainError], tuple[str, str, str]] = {
    IdempotencyKeyReused: ("Idempotency-Key:", "reused", f"{IdempotencyKeyReused.title}."),
    InvalidCursor: ("?cursor", "invalid", f"{InvalidCursor.title}."),
    InvalidToken: ("/token", InvalidToken.code, f"{InvalidToken.title}."),
    PasswordRejected: ("/password", "password_too_short", "Use at least 15 characters; a few words will do."),
}
# Refusals that tell nobody but operators why they are.
_REFERRED = {
    ("sign_in", InvalidCredentials),
    ("sign_in", Throttled),
    ("answer_challenge", InvalidFactor),
    ("answer_challenge", Throttled),
    ("sign_in_with_passkey", InvalidPasskey),
    ("sign_in_with_passkey", Throttled),
}
_HEADERS_OF_STATUS = {
    401: documented("WWW-Authenticate", "How to authenticate (RFC 6750)."),
    429: documented("Retry-After", "Seconds to wait."),
    503: documented("Retry-After", "Seconds to wait."),
}
_RATE_LIMIT = documented(
    "RateLimit-Policy",
    "What requests of this network are counted as, how many (`q`) in how many seconds (`w`).",
    always=False,
) | documented(
    "RateLimit",
    "How many are left (`r`), and in how many seconds there will be all again (`t`); where none is left, one.",
    always=False,
)
_REPLAYED = documented("Idempotency-Replayed", "`true` where the request was answered before.", always=False)
_REQUEST_ID = documented("X-Request-Id", "The request's id: the caller's own if it is a UUID.")


def responses(
    operation: str, *errors: type[DomainError] | Refusal, policies: Mapping[str, RoutePolicy] = ROUTE_POLICIES
) -> dict[int | str, dict[str, Any]]:
    """What an operation can be refused with, for OpenAPI: one entry a status, one example a code.

    What follows from the operation's policy is added.
    """
    policy = policies[operation]
    errors = (*errors, *_OF_ACCESS[policy.access])
    if policy.is_bounded:
        errors = (*errors, Throttled, ThrottlesUnavailable)
    if policy.asks_for_factor:
        errors = (*errors, FactorEnrolmentRequired)
    if policy.idempotent:
        errors = (*errors, IdempotencyInFlight, IdempotencyKeyReused)
    by_status: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    has_body = MALFORMED_JSON in errors
    for error in (*errors, INTERNAL_ERROR):
        status = error.status if isinstance(error, Refusal) else status_of(error, operation)
        value = _example(error, status, has_body=has_body)
        if (operation, error) in _REFERRED:
            value["reference"] = "7F3K-Q2MX-9RTB"
        by_status[status][error.code] = {"summary": error.title, "value": value}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            # Not as a "model", of which FastAPI would make hundreds at each start.
            "content": {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA.format(model=Problem.__name__)}, "examples": examples}},
            "headers": _HEADERS_OF_STATUS.get(status, {}),
        }
        for status, examples in sorted(by_status.items())
    }


def exact(document: dict[str, Any], policies: Mapping[str, RoutePolicy]) -> dict[str, Any]:
    """The OpenAPI document with what FastAPI gets wrong put right.

    It documents problems as plain JSON, a validation error of its own wherever there is a parameter, parameters that
    are null where they can only be left out, and one media type for every body. Repeating it changes nothing.
    """
    operations = [(method, operation) for path in document["paths"].values() for method, operation in path.items()]
    for method, operation in operations:
        for parameter in operation.get("parameters", []):
            _never_null(parameter["schema"])
        if method == "patch":
            bodies = operation["requestBody"]["content"]
            bodies[MERGE_PATCH] = bodies["application/json"]
        for status, answer in list(operation["responses"].items()):
            answer["headers"] = answer.get("headers", {}) | _REQUEST_ID
            policy = policies[operation["operationId"]]
            if policy.rate is not None:
                answer["headers"] |= _RATE_LIMIT
            if policy.idempotent and int(status) < HTTPStatus.BAD_REQUEST:
                answer["headers"] |= _REPLAYED
            content = answer.get("content", {})
            if "HTTPValidationError" in str(content):
                del operation["responses"][status]
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for schema in ("HTTPValidationError", "ValidationError"):
        schemas.pop(schema, None)
    problem = Problem.model_json_schema(ref_template=_SCHEMA, mode="serialization")
    for field in problem["properties"].values():
        # Of no use to whoever reads it: what is null there is left out.
        field.pop("default", None)
    schemas |= problem.pop("$defs") | {Problem.__name__: problem}
    return document


def _never_null(schema: dict[str, Any]) -> None:
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["anyOf"]
        schema |= kinds[0]


def _example(error: type[DomainError] | Refusal, status: int, *, has_body: bool) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status,
        "code": error.code,
        "instance": "urn:uuid:0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
    }
    if not isinstance(error, Refusal) and issubclass(error, InvalidInput):
        otherwise = (
            ("/email", "missing", "This field is required.")
            if has_body
            else ("?colour", "unknown_parameter", "This parameter is not known here.")
        )
        violation = _VIOLATIONS.get(error, otherwise)
        example["detail"] = violation[2]
        example["errors"] = [dict(zip(("pointer", "code", "detail"), violation, strict=True))]
    return example
