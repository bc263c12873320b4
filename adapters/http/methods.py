"""Methods that every route has without saying so (AP-02)."""

from fastapi import Request, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class ExactMethods:
    """HEAD is answered as GET would be, without its content; OPTIONS says which methods there are (RFC 9110 9.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        if method == "HEAD":
            as_get = {**scope, "method": "GET"}
            try:
                await self._app(as_get, receive, headers_only(send))
            finally:
                # For the line in the log.
                scope["route"] = as_get.get("route")
        elif method == "OPTIONS" and (allowed := allow(Request(scope))):
            await Response(status_code=204, headers={"Allow": allowed})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def headers_only(send: Send) -> Send:
    """Sends everything but content. `Content-Length` stays: it says how much there would be."""

    async def send_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            if message.get("more_body", False):
                return
            message = {**message, "body": b""}
        await send(message)

    return send_headers


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
