"""Problems as the OpenAPI document has them: every status and code of every operation, with an example."""

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from adapters.http.headers import documented
from adapters.http.problems import MEDIA_TYPE, status_of
from adapters.http.refusals import Refusal
from adapters.http.route_policies import ROUTE_POLICIES, Access, RoutePolicy
from adapters.http.schemas.base import SAMPLE_ID
from adapters.http.schemas.problems import FieldProblem, Problem
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
from domain.throttling.throttle import Throttled
from domain.users.password_policy import PasswordRejected
from domain.users.roles import AdminRequired
from domain.users.user import UserNotFound

# What can come from every operation that works on data, has a body, is a list, or changes how users prove themselves.
WITH_DATA = (DatabaseUnavailable, TransactionConflict)
WITH_BODY = (
    *WITH_DATA,
    Refusal.MALFORMED_JSON,
    Refusal.REQUEST_TIMEOUT,
    Refusal.BODY_TOO_LARGE,
    Refusal.UNSUPPORTED_MEDIA_TYPE,
    InvalidFields,
)
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


_SCHEMA = "#/components/schemas/{model}"
_VIOLATIONS: dict[object, FieldProblem] = {
    IdempotencyKeyReused: FieldProblem(
        pointer="Idempotency-Key:", code="reused", detail=f"{IdempotencyKeyReused.title}."
    ),
    InvalidCursor: FieldProblem(pointer="?cursor", code="invalid", detail=f"{InvalidCursor.title}."),
    InvalidToken: FieldProblem(pointer="/token", code=InvalidToken.code, detail=f"{InvalidToken.title}."),
    PasswordRejected: FieldProblem(
        pointer="/password", code="password_too_short", detail="Use at least 15 characters; a few words will do."
    ),
}
_MISSING = FieldProblem(pointer="/email", code="missing", detail="This field is required.")
_UNKNOWN = FieldProblem(pointer="?colour", code="unknown_parameter", detail="This parameter is not known here.")
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
    has_body = Refusal.MALFORMED_JSON in errors
    for error in (*errors, Refusal.INTERNAL_ERROR, Refusal.OUT_OF_MEMORY):
        status = status_of(error, operation)
        value = _example(operation, error, status, has_body=has_body)
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


def _example(operation: str, error: type[DomainError] | Refusal, status: int, *, has_body: bool) -> dict[str, Any]:
    problem = Problem(
        type=f"/problems/{error.code}",
        title=error.title,
        status=status,
        code=error.code,
        instance=f"urn:uuid:{SAMPLE_ID}",
        reference="7F3K-Q2MX-9RTB" if (operation, error) in _REFERRED else None,
    )
    if not isinstance(error, Refusal) and issubclass(error, InvalidInput):
        violation = _VIOLATIONS.get(error, _MISSING if has_body else _UNKNOWN)
        problem.detail, problem.errors = violation.detail, [violation]
    return problem.model_dump(exclude_none=True)
