"""The metrics of one process, on a listener of their own."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.http.armour import is_sound
from adapters.http.server import server_config

PATH = "/metrics"
_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_ASK = {b"www-authenticate": b'Bearer realm="hallporter metrics"'}


class MetricsPage:
    """Answers `GET /metrics`, and where there is a `token` to those alone who show it; nothing else (AP-06)."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], *, token: str | None = None) -> None:
        self._read = read
        self._expected = f"bearer {token}".encode() if token is not None else None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not is_sound(scope):
            await _answer(send, HTTPStatus.BAD_REQUEST, {b"connection": b"close"})
        elif not self._may_read(scope):
            await _answer(send, HTTPStatus.UNAUTHORIZED, _ASK)
        elif scope["path"] != PATH:
            await _answer(send, HTTPStatus.NOT_FOUND)
        elif scope["method"] != "GET":
            await _answer(send, HTTPStatus.METHOD_NOT_ALLOWED, {b"allow": b"GET"})
        else:
            await _answer(send, HTTPStatus.OK, {b"content-type": _TYPE}, await self._read())

    def _may_read(self, scope: Scope) -> bool:
        if self._expected is None:
            return True
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        # Of two headers, somebody in front of us may have read the other one.
        if len(shown) != 1:
            return False
        scheme, _, token = shown[0].partition(b" ")
        return hmac.compare_digest(scheme.lower() + b" " + token, self._expected)


async def _answer(
    send: Send, status: HTTPStatus, headers: Mapping[bytes, bytes] | None = None, body: bytes = b""
) -> None:
    fields = {b"content-length": str(len(body)).encode(), b"cache-control": b"no-store", **(headers or {})}
    fields[b"x-content-type-options"] = b"nosniff"
    await send({"type": "http.response.start", "status": status.value, "headers": [*fields.items()]})
    await send({"type": "http.response.body", "body": body})


class SideServer(uvicorn.Server):
    """Serves beside another server in the same process: being told to stop is the other one's business."""

    def __init__(self, app: ASGIApp) -> None:
        config = server_config(app)
        config.lifespan = "off"
        config.timeout_graceful_shutdown = 1
        super().__init__(config)

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # (a generator there)
        return nullcontext()
