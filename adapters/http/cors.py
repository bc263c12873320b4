"""Which pages elsewhere may call us (HD-03)."""

from collections.abc import Sequence

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id")
_SHOWN = (
    "Device-Token",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_PREFLIGHT_SECONDS = 600


class ExactCors(CORSMiddleware):
    """Pages of these very origins may call us, and see what scripts need to see. Cookies are not for them.

    An origin is compared as a whole: no pattern, no suffix, no `null`. Others get the answers that everybody gets, and
    their browsers keep these from them.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_SENT,
            expose_headers=_SHOWN,
            max_age=_PREFLIGHT_SECONDS,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks beforehand."""
        allowed = super().preflight_response(request_headers)
        if allowed.status_code == Response(status_code=200).status_code:
            return allowed
        # Without a word of consent. The library would say in plain text what it dislikes.
        return Response(status_code=204, headers={"Vary": "Origin"})
