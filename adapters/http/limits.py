"""How much of a request is read, and how long it is waited for (IN-01)."""

import sys
from dataclasses import dataclass, field

MAX_HEADER_FIELDS = 100
MAX_HEADER_BYTES = 16 * 1024
MAX_URL_BYTES = 8 * 1024
MAX_BODY_BYTES = 64 * 1024
BODY_SECONDS = 10.0
_MAX_CONNECTIONS = 1000

LEAVING = "leaving"
"""Where the application's lifespan may put what is to be called when the first connection is told to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimit:
    """How large a body may be, and how long it may take to arrive."""

    bytes: int = MAX_BODY_BYTES
    seconds: float = BODY_SECONDS


SMALL = BodyLimit()
FILE = BodyLimit(bytes=64 * 1024 * 1024, seconds=600)
"""A file, from somebody who is known and trusted: it is read by nobody who is not let through first."""


def affordable_connections() -> int:
    """Half of the files that this process may open: the database, mails and logs need some too."""
    if sys.platform == "win32":
        return _MAX_CONNECTIONS
    import resource  # noqa: PLC0415  (not on Windows)

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if allowed == resource.RLIM_INFINITY else min(_MAX_CONNECTIONS, allowed // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may keep the server waiting, and how many there may be in one process."""

    idle_seconds: float = 5.0
    """Until the first byte of a request."""
    head_seconds: float = 10.0
    """From there to the end of its head."""
    unread_seconds: float = 10.0
    """For the rest of a body when the answer has been given already."""
    write_seconds: float = 30.0
    """Until a client that has stopped reading goes on."""
    linger_seconds: float = 2.0
    """For a client that is still sending to read why it need not."""
    leave_seconds: float = 1.0
    """Until the first byte of a request that may be under way while we stop."""
    pipelined: int = 16
    """Requests that wait for the answer to one before them."""
    connections: int = field(default_factory=affordable_connections)
