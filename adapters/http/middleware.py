"""What surrounds every request: its id, its line in the log, and the last resort."""

import time
from typing import Any
from uuid import UUID, uuid4

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.client import address_in
from adapters.http.problems import answer_refusal
from adapters.http.refusals import Refusal
from application.audit.origin import Origin, acting_from
from domain.audit.audit_entry import Source
from domain.sessions.session import MAX_NETWORK_ADDRESS_LENGTH

REQUEST_ID_HEADER = "X-Request-Id"
_REQUEST_ID = REQUEST_ID_HEADER.lower().encode()
_log = structlog.get_logger("hallporter.http")


class RequestContext:
    """Gives a request its id, logs one line when it is done, and answers what nobody else has caught.

    A caller's own id is kept if it is a UUID; anything else could carry line breaks or another's data into the log.
    From then on `state` has the request's id and where it comes from, past so many proxies of ours; and in the end
    the status of the answer, if there was one.
    """

    def __init__(self, app: ASGIApp, *, trusted_proxies: int = 0) -> None:
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._has_warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _accepted(Headers(scope=scope).get(REQUEST_ID_HEADER)) or uuid4()
        state = scope.setdefault("state", {})
        state["request_id"], state["status"] = request_id, None
        state["network_address"] = address_in(scope, self._trusted_proxies)
        self._warn_of_proxies(scope)
        started_at = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, str(request_id).encode())]
                if "headers" in state:
                    MutableHeaders(scope=message).update(state["headers"])
            await send(message)

        address = state["network_address"]
        origin = Origin(
            source=Source.HTTP,
            request_id=request_id,
            # A server of one's own may put anything there, such as the path of a socket.
            network_address=address[:MAX_NETWORK_ADDRESS_LENGTH] if address is not None else None,
        )
        with acting_from(origin):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as failed:  # noqa: BLE001  (the last resort: it is logged, and answered without detail)
                _log.exception("request.failed")
                if state["status"] is None:
                    refusal = Refusal.OUT_OF_MEMORY if isinstance(failed, MemoryError) else Refusal.INTERNAL_ERROR
                    await answer_refusal(Request(scope), refusal)(scope, receive, send_with_id)
            finally:
                _log.info("request", **_described(scope, time.perf_counter() - started_at))

    def _warn_of_proxies(self, scope: Scope) -> None:
        """Say once that there may be a proxy which nobody told us of: then all callers share its limits."""
        if not self._trusted_proxies and not self._has_warned and "x-forwarded-for" in Headers(scope=scope):
            self._has_warned = True
            _log.warning("proxy.not_trusted", advice="set TRUSTED_PROXIES to the number of proxies in front of us")


def _accepted(given: str | None) -> UUID | None:
    try:
        return UUID(given) if given is not None else None
    except ValueError:
        return None


def _described(scope: Scope, seconds: float) -> dict[str, Any]:
    state = scope["state"]
    # The route's template and not the path: paths hold ids, and whatever a stranger cares to type.
    return {
        "method": scope["method"],
        "route": getattr(scope.get("route"), "path", None),
        "status": state["status"],
        "duration_ms": round(seconds * 1000, 1),
        "client": state.get("network_address"),
        "user_id": state.get("user_id"),
    }
