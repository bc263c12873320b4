"""Which pages elsewhere may call us (HD-03)."""

from collections.abc import Sequence

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.armour import is_sound

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let answer: what asks beforehand must be a sound request like every other."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS" and not self._may_ask(scope):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def _may_ask(self, scope: Scope) -> bool:
        # And nothing but ask: a question has no body.
        has_body = any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])
        return is_sound(scope) and not has_body

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks beforehand."""
        allowed = super().preflight_response(request_headers)
        if allowed.status_code == Response(status_code=200).status_code:
            return allowed
        # Without a word of consent. The library would say in plain text what it dislikes.
        return Response(status_code=204, headers={"Vary": "Origin"})
