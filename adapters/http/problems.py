"""Refusals as problem bodies (RFC 9457). The one place where a refusal meets a status."""

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.http.headers import NO_STORE
from adapters.http.methods import allow
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.schemas.problems import FieldProblem, Problem
from adapters.http.validation import violations_of
from domain.errors import (
    Conflict,
    DomainError,
    InvalidFields,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Stale,
    TooManyAttempts,
    Unavailable,
    concrete_errors,
)
from domain.mfa.factor import InvalidFactor
from domain.mfa.passkey import InvalidPasskey
from domain.sessions.session import InvalidAccessToken, ReauthenticationRequired
from domain.throttling.throttle import Throttled
from domain.users.registration import EmailAlreadyRegistered

MEDIA_TYPE = "application/problem+json"

STATUS_OF_CATEGORY: Mapping[type[DomainError], int] = {
    InvalidInput: 422,
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    TooManyAttempts: 429,
    Unavailable: 503,
}

# Where the contract has another status than the category's, by operation.
STATUS_AT_OPERATION: Mapping[tuple[str, type[DomainError]], int] = {
    ("register_user", EmailAlreadyRegistered): 400,
    # Whoever is signed in stays so, whatever they type.
    ("activate_totp", InvalidFactor): 422,
    ("register_passkey", InvalidPasskey): 422,
    ("reauthenticate", InvalidFactor): 403,
}


def status_of(error: type[DomainError] | Refusal, operation: str | None = None) -> int:
    """The status of a refusal, at an operation where that matters."""
    if isinstance(error, Refusal):
        return error.status
    special = STATUS_AT_OPERATION.get((operation or "", error))
    return special or next(status for category, status in STATUS_OF_CATEGORY.items() if issubclass(error, category))


def all_codes() -> dict[str, tuple[str, int, str]]:
    """Title, status and explanation of every problem that there is, by code."""
    from_http = {refusal.code: (refusal.title, refusal.status, refusal.title) for refusal in Refusal}
    from_core = {
        error.code: (error.title, status_of(error), (error.__doc__ or "").partition("\n")[0])
        for error in concrete_errors()
    }
    return from_http | from_core


async def answer_domain_error(request: Request, error: Exception) -> Response:
    """The answer to a refusal of the core."""
    if not isinstance(error, DomainError):
        raise error
    if isinstance(error, Throttled):
        # For those who count: see `CountedRequests`.
        request.state.throttle = error.throttle.name
    headers: dict[str, str] = {}
    status = status_of(type(error), operation_of(request))
    if isinstance(error, NotAuthenticated) and status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenge(request, error)
    if isinstance(error, TooManyAttempts | Unavailable):
        headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    violations = error.violations if isinstance(error, InvalidInput) else ()
    return _answer(
        request,
        error,
        status,
        detail=error.detail,
        reference=error.reference,
        errors=[FieldProblem(pointer=_pointer(each.field), code=each.code, detail=each.detail) for each in violations],
        headers=headers,
    )


async def answer_validation_error(request: Request, error: Exception) -> Response:
    """The answer to what Pydantic refuses, without a word of what was submitted."""
    if not isinstance(error, RequestValidationError):
        raise error
    return await answer_domain_error(request, InvalidFields(violations_of(error.errors())))


async def answer_http_error(request: Request, error: Exception) -> Response:
    """The answer to what the framework or our own HTTP layer refuses."""
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, DomainError):
        # FastAPI wraps what goes wrong while a body is read.
        return await answer_domain_error(request, error.__cause__)
    if isinstance(error, RefusedByHttp):
        return answer_refusal(request, error.refusal, detail=error.explanation)
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            return answer_refusal(request, Refusal.ROUTE_NOT_FOUND)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return answer_refusal(request, Refusal.METHOD_NOT_ALLOWED)
    return answer_refusal(request, Refusal.BAD_REQUEST)


def answer_refusal(request: Request, refusal: Refusal, *, detail: str | None = None) -> Response:
    """The answer to a refusal of HTTP itself."""
    headers = {"Allow": allow(request)} if refusal is Refusal.METHOD_NOT_ALLOWED else {}
    if refusal is Refusal.OUT_OF_MEMORY:
        headers["Retry-After"] = "1"
    return _answer(request, refusal, refusal.status, detail=detail, headers=headers)


def operation_of(request: Request) -> str | None:
    """The operationId of the route that was found, which is its endpoint's name."""
    return getattr(request.scope.get("route"), "name", None)


def _answer(
    request: Request,
    refused: DomainError | Refusal,
    status: int,
    *,
    detail: str | None,
    reference: str | None = None,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(
        type=f"{request.app.state.public_url}/problems/{refused.code}",
        title=refused.title,
        status=status,
        code=refused.code,
        instance=f"urn:uuid:{request.state.request_id}",
        detail=detail,
        reference=reference,
        errors=list(errors) or None,
    )
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, status, headers=NO_STORE | dict(headers or {}), media_type=MEDIA_TYPE)


# What the core calls by a name, and callers do not send in the body.
_ELSEWHERE = {"cursor": "?cursor", "idempotency_key": "Idempotency-Key:"}


def _pointer(field: str) -> str:
    """Fields of the core are names of the body's members, but for a few; the HTTP layer's own are pointers already."""
    if field.startswith(("/", "?")) or field.endswith(":") or not field:
        return field
    return _ELSEWHERE.get(field, f"/{field}")


def _challenge(request: Request, error: NotAuthenticated) -> str:
    """RFC 6750 section 3: the error is named only to those who sent a token."""
    challenge = 'Bearer realm="hallporter"'
    if isinstance(error, ReauthenticationRequired):
        # RFC 9470 section 3.
        seconds = int(error.max_age.total_seconds())
        return f'{challenge}, error="insufficient_user_authentication", max_age="{seconds}"'
    if isinstance(error, InvalidAccessToken) and "authorization" in request.headers:
        challenge += ', error="invalid_token"'
    return challenge
