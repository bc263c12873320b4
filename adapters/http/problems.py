"""Refusals as problem bodies (RFC 9457). The one place where a refusal meets a status."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from adapters.http.headers import NO_STORE
from adapters.http.validation import violations
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
    Violation,
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of HTTP itself, which the core never sees."""

    status: int
    code: str
    title: str


MALFORMED_JSON = Refusal(400, "malformed_json", "The body is not the JSON that is expected here")
ROUTE_NOT_FOUND = Refusal(404, "route_not_found", "There is nothing at this address")
CROSS_SITE_REQUEST = Refusal(
    403, "cross_site_request", "The cookie is used by pages of this service's own origin alone"
)
IF_MATCH_REQUIRED = Refusal(
    428, "if_match_required", "Say with If-Match which version this is about: the ETag of the resource as you read it"
)
METHOD_NOT_ALLOWED = Refusal(405, "method_not_allowed", "This address does not support the method")
BODY_TOO_LARGE = Refusal(413, "body_too_large", "The body is too large")
UNSUPPORTED_MEDIA_TYPE = Refusal(
    415, "unsupported_media_type", "The body must be application/json in UTF-8, and not encoded further"
)
UNSUPPORTED_FILE_TYPE = Refusal(
    415, "unsupported_file_type", "The body must be application/x-ndjson or text/csv in UTF-8, and not encoded further"
)
REQUEST_REFUSED = Refusal(400, "bad_request", "The request cannot be understood")
INVALID_HOST = Refusal(400, "invalid_host", "The request must name one host, and that one of this service")
REQUEST_TIMEOUT = Refusal(408, "request_timeout", "The request took too long to arrive")
URI_TOO_LONG = Refusal(414, "uri_too_long", "The address is too long")
HEADERS_TOO_LARGE = Refusal(431, "headers_too_large", "The headers are too large or too many")
INTERNAL_ERROR = Refusal(500, "internal_error", "Something went wrong on our side")
REFUSALS = (
    MALFORMED_JSON,
    ROUTE_NOT_FOUND,
    CROSS_SITE_REQUEST,
    METHOD_NOT_ALLOWED,
    IF_MATCH_REQUIRED,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    UNSUPPORTED_FILE_TYPE,
    REQUEST_REFUSED,
    INVALID_HOST,
    REQUEST_TIMEOUT,
    URI_TOO_LONG,
    HEADERS_TOO_LARGE,
    INTERNAL_ERROR,
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RefusedByHttp(HTTPException):
    """Raised by our own HTTP layer, with what exactly was wrong. FastAPI lets it pass everywhere."""

    def __init__(self, refusal: Refusal, *, detail: str | None = None) -> None:
        super().__init__(refusal.status, detail)
        self.refusal = refusal
        self.explanation = detail


def status_of(error: type[DomainError], operation: str | None = None) -> int:
    """The status of a refusal, at an operation where that matters."""
    special = STATUS_AT_OPERATION.get((operation or "", error))
    return special or next(status for category, status in STATUS_OF_CATEGORY.items() if issubclass(error, category))


def all_codes() -> dict[str, tuple[str, int, str]]:
    """Title, status and explanation of every problem that there is, by code."""
    from_http = {refusal.code: (refusal.title, refusal.status, refusal.title) for refusal in REFUSALS}
    from_core = {
        error.code: (error.title, status_of(error), (error.__doc__ or "").partition("\n")[0])
        for error in concrete_errors()
    }
    return from_http | from_core


async def answer_domain_error(request: Request, error: Exception) -> JSONResponse:
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
    return _answer(
        request,
        status=status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        reference=error.reference,
        found=error.violations if isinstance(error, InvalidInput) else (),
        headers=headers,
    )


async def answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to what Pydantic refuses, without a word of what was submitted."""
    if not isinstance(error, RequestValidationError):
        raise error
    return await answer_domain_error(request, InvalidFields(violations(error.errors())))


async def answer_http_error(request: Request, error: Exception) -> JSONResponse:
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
            return answer_refusal(request, ROUTE_NOT_FOUND)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return answer_refusal(request, METHOD_NOT_ALLOWED)
    return answer_refusal(request, REQUEST_REFUSED)


def answer_refusal(request: Request, refusal: Refusal, *, detail: str | None = None) -> JSONResponse:
    """The answer to a refusal of HTTP itself."""
    headers = {"Allow": allow(request)} if refusal is METHOD_NOT_ALLOWED else None
    return _answer(
        request, status=refusal.status, code=refusal.code, title=refusal.title, detail=detail, headers=headers
    )


def allow(request: Request) -> str:
    """The `Allow` of this path: every method that some route has; the framework knows only the first route's.

    Empty where there is no route. `*` is the service as a whole.
    """
    if request.scope["path"] == "*":
        return ", ".join(_METHODS)

    def found(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    routed = {method for method in _METHODS if found(method)}
    if not routed:
        return ""
    # What `ExactMethods` answers.
    answered = routed | {"OPTIONS"} | ({"HEAD"} if "GET" in routed else set())
    return ", ".join(method for method in _METHODS if method in answered)


def operation_of(request: Request) -> str | None:
    """The operationId of the route that was found, which is its endpoint's name."""
    return getattr(request.scope.get("route"), "name", None)


def _answer(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    reference: str | None = None,
    found: Iterable[Violation] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, Any] = {
        "type": f"{request.app.state.public_url}/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "instance": f"urn:uuid:{request.state.request_id}",
    }
    if detail is not None:
        body["detail"] = detail
    if reference is not None:
        body["reference"] = reference
    if errors := [
        {"pointer": _pointer(violation.field), "code": violation.code, "detail": violation.detail}
        for violation in found
    ]:
        body["errors"] = errors
    return JSONResponse(body, status, headers=NO_STORE | dict(headers or {}), media_type=MEDIA_TYPE)


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
