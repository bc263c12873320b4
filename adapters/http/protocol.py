"""What is read from a connection, and what is not (IN-01, fault 34).

llhttp refuses most of what is ambiguous. What it lets pass without end or without need is refused here, before it fills
memory: docs/decisions/http-armour.md has the list.
"""

import re
from functools import partial
from typing import Any, cast, override

import httptools

from adapters.http.armour import LARGER_BODY, body_too_large, headers_too_large, url_too_long
from adapters.http.connection import Connection
from adapters.http.limits import MAX_BODY_BYTES, MAX_HEADER_BYTES, MAX_URL_BYTES
from adapters.http.refusals import Refusal, RefusedByHttp

# As they come over the wire, with what surrounds their parts. `Armour` counts exactly.
_MAX_HEAD = MAX_URL_BYTES + MAX_HEADER_BYTES + 256
_MAX_CHUNKED_BODY = 8 * MAX_BODY_BYTES  # a byte in a chunk of its own takes six
_CHUNKED_LARGER = 2  # who sends megabytes has better things to do
_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ")
_KNOWN_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"CONNECT", b"PRI"})


class ArmouredProtocol(Connection):
    """A connection that cannot fill memory, nor be read in two ways.

    Bytes are counted before they are parsed, for the parser keeps a field until it is complete.
    """

    _has_moved = False
    _other_method: str | None = None
    _body_limit = MAX_BODY_BYTES
    _most_of_body = _MAX_CHUNKED_BODY

    @override
    def data_received(self, data: bytes) -> None:
        while data and not self._is_deaf and not self.transport.is_closing():
            limit = _MAX_HEAD if self._is_in_head else self._most_of_body
            room = limit - self._taken + 1
            data = self._feed(data[:room]) + data[room:]
            if self._taken > limit:
                self._refuse(headers_too_large() if self._is_in_head else body_too_large(self._body_limit))
        self._watch()

    # What the parser calls; what is raised comes out of `feed_data`

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_between = False

    @override
    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            raise url_too_long()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head:
            # uvicorn would put it among the headers, which have been looked at already.
            raise RefusedByHttp(Refusal.BAD_REQUEST, detail="Fields after the body are not taken.")
        super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._check_head()
        if self.parser.should_upgrade():
            return  # to come again, without
        asks = self.expect_100_continue
        # To HTTP/1.0 nobody says "go on" (RFC 9110 section 10.1.1).
        self.expect_100_continue = asks and self.parser.get_http_version() != "1.0"
        self._body_limit, self._most_of_body = MAX_BODY_BYTES, _MAX_CHUNKED_BODY
        self.scope["extensions"] = cast("Any", {LARGER_BODY: partial(self._allow_larger_body, self.scope)})
        super().on_headers_complete()
        if asks:
            # Whether the body still comes where the answer came first is what readers in between disagree on.
            self.cycle.keep_alive = False
        self._move(is_in_head=False)
        if self._other_method is not None:
            self.scope["method"] = self._other_method

    @override
    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._move(is_in_head=True)
        self._is_between = True
        self._other_method = None

    # Ours

    def _allow_larger_body(self, scope: object, most_bytes: int) -> None:
        """Take more of the request that is coming in, if it is still that one."""
        if self.scope is scope:
            self._body_limit, self._most_of_body = most_bytes, _CHUNKED_LARGER * most_bytes

    def _feed(self, piece: bytes) -> bytes:
        """Have it parsed. What comes back is still to be fed."""
        piece = self._with_known_method(piece)
        self._has_moved = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as pause:
            return self._without_upgrade() + piece[pause.args[0] :]
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, RefusedByHttp) else RefusedByHttp(Refusal.BAD_REQUEST))
        else:
            if not self._has_moved:
                self._taken += len(piece)
        return b""

    def _without_upgrade(self) -> bytes:
        """The head once more, for a new parser, without the offer of another protocol, which we do not take.

        Where there is one, the parser ends the message after its head, and would read the body as the next request.
        """
        method = (self._other_method or self.parser.get_method().decode()).encode()
        lines = [method + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn has it: what follows a request that closes is no fault of that request.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._move(is_in_head=True)
        self._is_between = True
        return b"\r\n".join([*lines, b"", b""])

    def _move(self, *, is_in_head: bool) -> None:
        self._is_in_head = is_in_head
        self._taken = 0
        self._has_moved = True

    def _with_known_method(self, piece: bytes) -> bytes:
        """The same with TRACE for what the parser may not know: it would call malformed what is merely not allowed."""
        if self._is_between and self._taken == 0:
            found = _METHOD.match(piece)
            if found is not None and found[1] not in _KNOWN_METHODS:
                self._other_method = found[1].decode()
                return b"TRACE" + piece[found.end(1) :]
        return piece

    def _check_head(self) -> None:
        """Raises: RefusedByHttp."""
        if self.parser.get_method() == b"CONNECT":
            raise RefusedByHttp(Refusal.METHOD_NOT_ALLOWED)
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise RefusedByHttp(Refusal.BAD_REQUEST, detail="HTTP/1.1 and HTTP/1.0 are spoken here.")
        if b"#" in self.url:
            raise RefusedByHttp(Refusal.BAD_REQUEST, detail="An address has no fragment.")
        if self.url[:1] not in {b"/", b"*"}:
            # The host within such an address goes before the Host header (RFC 9112 section 3.2.2), which we look at.
            named = self.url.partition(b"://")[2].partition(b"/")[0].lower()
            if [named] != [value.lower() for name, value in self.headers if name == b"host"]:
                raise RefusedByHttp(
                    Refusal.BAD_REQUEST, detail="The host of the address is not that of the Host header."
                )
        if len(self.pipeline) >= self.limits.pipelined:
            detail = f"No more than {self.limits.pipelined} requests may wait for another."
            raise RefusedByHttp(Refusal.BAD_REQUEST, detail=detail)
