"""Methods that every route has without saying so (AP-02)."""

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.problems import allow


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
