"""asyncpg, as far as SQLAlchemy does not stand between: its errors, and connections that part without waiting."""

import socket
from asyncio import Transport

import asyncpg  # type: ignore[import-untyped]  # it has no stubs
from asyncpg.exceptions import _base  # type: ignore[import-untyped]

SERVER_ERROR: type[Exception] = asyncpg.PostgresError
"""What the server says, with its `sqlstate`."""
INTERFACE_ERROR: type[Exception] = asyncpg.InterfaceError
"""What the driver says by itself: mostly that the connection is closed."""
OUT_OF_STEP: type[Exception] = asyncpg.InternalClientError
"""A connection is being cut at this very moment: the driver is still reading what came with that."""
ENCODING_ERROR: type[Exception] = _base.DataError
"""A value that the driver cannot bring into the form of its column."""
OUTDATED_PLAN: type[Exception] = asyncpg.InvalidCachedStatementError
"""A migration came between: the same statement is fine on its next use."""

# Seconds and tries until a peer that has vanished without a word is given up on while nothing is being asked of it.
# Each only where the system has it.
_TCP_OPTIONS = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}


class Connection(asyncpg.Connection):  # type: ignore[misc]  # untyped, as above
    """A connection that notices when its peer vanishes, and that parts without waiting for an answer.

    The driver's own would wait for the server's good-bye, seconds long where there is no server any more, and as often
    as there are connections in the pool (fault 4).
    """

    def __init__(self, protocol: object, transport: Transport, *rest: object) -> None:
        super().__init__(protocol, transport, *rest)
        _keep_alive(transport.get_extra_info("socket"))

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109  (as the method it replaces)
        # Takes leave of the server, and closes the socket at once.
        self.terminate()


def _keep_alive(connected: socket.socket | None) -> None:
    if connected is None or connected.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _TCP_OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
