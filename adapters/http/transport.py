"""Closing so that last words are heard."""

import asyncio
from collections.abc import Callable
from typing import Any, override

from adapters.http.limits import ConnectionLimits


class LingeringTransport(asyncio.Transport):
    """A transport that does not cut off a client which is still sending (RFC 9112 section 9.6).

    Closing with something unread makes the system reset the connection, and takes the answer from a client that has not
    read it yet. So our side is closed first, and what still comes is thrown away for a little while.
    """

    def __init__(self, transport: asyncio.Transport, is_sending: Callable[[], bool], limits: ConnectionLimits) -> None:
        super().__init__()
        self._transport = transport
        self._is_sending = is_sending
        self._limits = limits
        self._is_closing = False

    @override
    def close(self) -> None:
        if self.is_closing():
            return
        self._is_closing = True
        loop = asyncio.get_running_loop()
        if self._is_sending():
            self._transport.resume_reading()
            if self._transport.can_write_eof():
                self._transport.write_eof()
            loop.call_later(self._limits.linger_seconds, self._transport.abort)
        else:
            if self._transport.get_write_buffer_size():
                loop.call_later(self._limits.write_seconds, self._transport.abort)
            self._transport.close()

    @override
    def is_closing(self) -> bool:
        return self._is_closing or self._transport.is_closing()

    @override
    def abort(self) -> None:
        self._is_closing = True
        self._transport.abort()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._transport.write(data)

    @override
    def pause_reading(self) -> None:
        self._transport.pause_reading()

    @override
    def resume_reading(self) -> None:
        self._transport.resume_reading()

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)
