"""Headers that tell browsers to trust as little as possible (HD-04)."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ONE_YEAR = 365 * 86_400
_ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_CONTENTS = b"content-security-policy"


class SecurityHeaders:
    """Adds them to every answer, errors among them, but for those that an endpoint has set itself.

    `exempt` are paths whose pages need more than our policy of contents allows. With `vary` no cache gives one origin
    what it keeps for another.
    """

    def __init__(self, app: ASGIApp, *, https: bool, vary: bool = False, exempt: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._vary = vary
        headers = dict(_ALWAYS)
        if https:
            headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}; includeSubDomains"
        # As they are sent: put together once, and not for each answer.
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self._vary:
                    MutableHeaders(scope=message).add_vary_header("Origin")
                own = {name for name, _ in message.get("headers", ())}
                if scope["path"] in self._exempt:
                    own.add(_CONTENTS)
                added = (header for header in self._headers if header[0] not in own)
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)
