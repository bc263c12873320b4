"""What every request must keep to before anybody reads it (IN-01, HD-06, fault 34).

Holds under any server. Servers differ in what they let pass, and the one that we ship refuses most of it sooner
(`adapters/http/protocol.py`), by the same numbers.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.limits import (
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    MAX_HEADER_FIELDS,
    MAX_URL_BYTES,
    SMALL,
    BodyLimit,
)
from adapters.http.methods import headers_only
from adapters.http.problems import answer_refusal
from adapters.http.refusals import Refusal, RefusedByHttp

REFUSED_BY_SERVER = "hallporter.refused"
"""The ASGI extension by which our server hands over what it could not make a request of: a `RefusedByHttp`."""
LARGER_BODY = "hallporter.larger_body"
"""The ASGI extension by which our server is told that a request may have more: to be called with so many bytes."""

_HOST = re.compile(rb"([a-z0-9_][a-z0-9_.-]{0,252}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.IGNORECASE)
_LENGTH = re.compile(rb"[0-9]{1,19}[ \t]*")


def is_sound(scope: Scope) -> bool:
    """Whether the head of a request is one that `Armour` has nothing against, wherever it is to go."""
    try:
        _check_head(scope, MAX_BODY_BYTES)
    except RefusedByHttp:
        return False
    return True


class Armour:
    """Refuses what is too large, too slow, ambiguous, or meant for another host.

    After a refusal the connection closes: where the next request on it begins may be what we disagree on.
    `allowed_hosts` are names without ports, in lower case. At the paths in `unlisted` any well-formed host will do.
    Bodies keep to `body_limit`, but for the methods and paths in `larger`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        allowed_hosts: frozenset[str],
        unlisted: frozenset[str] = frozenset(),
        body_limit: BodyLimit = SMALL,
        larger: Mapping[tuple[str, str], BodyLimit] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._allowed_hosts = allowed_hosts
        self._unlisted = unlisted
        self._body_limit = body_limit
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        body = _Body(receive, limit)

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and body.is_refused:
                _close(scope, message)
            await send(message)

        try:
            self._check(scope, limit)
        except RefusedByHttp as refused:
            body.is_refused = True
            answer = answer_refusal(Request(scope), refused.refusal, detail=refused.explanation)
            await answer(scope, receive, headers_only(send_closing) if scope["method"] == "HEAD" else send_closing)
        else:
            await self._app(scope, body.receive, send_closing)

    def _limit_of(self, scope: Scope) -> BodyLimit:
        larger = self._larger.get((scope["method"], scope["path"]))
        if larger is None:
            return self._body_limit
        allow = scope.get("extensions", {}).get(LARGER_BODY)
        if allow is not None:
            allow(larger.bytes)
        return larger

    def _check(self, scope: Scope, limit: BodyLimit) -> None:
        """Raises: RefusedByHttp."""
        _check_head(scope, limit.bytes)
        path, named = scope["path"], _host_of(scope["headers"])
        if path not in self._unlisted and named not in self._allowed_hosts:
            raise RefusedByHttp(
                Refusal.INVALID_HOST, detail="It is neither the host of PUBLIC_URL nor one of ALLOWED_HOSTS."
            )


def _check_head(scope: Scope, most_bytes: int) -> None:
    """Raises: RefusedByHttp."""
    refused = scope.get("extensions", {}).get(REFUSED_BY_SERVER)
    if refused is not None:
        raise refused
    headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    if len(path) + (len(query) + 1 if query else 0) > MAX_URL_BYTES:
        raise url_too_long()
    if len(headers) > MAX_HEADER_FIELDS or sum(map(_size_of, headers)) > MAX_HEADER_BYTES:
        raise headers_too_large()
    _check_framing(scope["http_version"], headers, most_bytes)
    _host_of(headers)


def _host_of(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The one host, without its port, in lower case.

    Raises: RefusedByHttp.
    """
    hosts = [value for name, value in headers if name == b"host"]
    named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if named is None:
        raise RefusedByHttp(Refusal.INVALID_HOST, detail="Exactly one well-formed Host header is needed.")
    return named[1].decode().lower()


class _Body:
    """A request's body as it comes in: only so large, and all of it in time."""

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self.is_refused = False
        self._receive = receive
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + limit.seconds
        self._size = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next piece, as of ASGI.

        Raises: RefusedByHttp.
        """
        if self._is_whole:
            # Whoever goes on listening waits for the client to leave, which has no deadline.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.is_refused = True
            detail = f"A body must be here within {self._limit.seconds:g} seconds."
            raise RefusedByHttp(Refusal.REQUEST_TIMEOUT, detail=detail) from None
        self._is_whole = not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        if self._size > self._limit.bytes:
            self.is_refused = True
            raise body_too_large(self._limit.bytes)
        return message


def url_too_long() -> RefusedByHttp:
    """The refusal of an address."""
    return RefusedByHttp(Refusal.URI_TOO_LONG, detail=f"Path and query may have {MAX_URL_BYTES} bytes.")


def headers_too_large() -> RefusedByHttp:
    """The refusal of headers."""
    detail = f"There may be {MAX_HEADER_FIELDS} fields and {MAX_HEADER_BYTES} bytes of them."
    return RefusedByHttp(Refusal.HEADERS_TOO_LARGE, detail=detail)


def body_too_large(most_bytes: int) -> RefusedByHttp:
    """The refusal of a body."""
    return RefusedByHttp(Refusal.BODY_TOO_LARGE, detail=f"At most {most_bytes} bytes are read.")


def _size_of(field: tuple[bytes, bytes]) -> int:
    """The bytes of a header field on the wire, with its colon, blank and end of line."""
    name, value = field
    return len(name) + len(value) + 4


def _check_framing(http_version: str, headers: Sequence[tuple[bytes, bytes]], most_bytes: int) -> None:
    """One way only to tell where a body ends: two would be two requests to two readers (RFC 9112 section 6.3).

    Raises: RefusedByHttp.
    """
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value.strip(b" \t").lower() for name, value in headers if name == b"transfer-encoding"]
    is_clear = len(lengths) + len(codings) <= 1 and all(map(_LENGTH.fullmatch, lengths))
    if not is_clear or codings not in ([], [b"chunked"]) or (codings and http_version != "1.1"):
        raise RefusedByHttp(
            Refusal.BAD_REQUEST, detail="Where the body ends must be said once: by its length, or chunked."
        )
    if lengths and int(lengths[0]) > most_bytes:
        raise body_too_large(most_bytes)


def _close(scope: Scope, message: Message) -> None:
    # Later versions of HTTP have no such header, and their connections serve others meanwhile.
    if scope["http_version"].startswith("1."):
        MutableHeaders(scope=message)["Connection"] = "close"
