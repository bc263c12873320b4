"""Refresh tokens: opaque, rotating, and kept only as hashes."""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Self

from domain.ids import SessionId

SECRET_BYTES = 32
_FORMAT = re.compile(r"hp_rt_(?P<secret>[A-Za-z0-9_-]{43})_(?P<checksum>[0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RefreshTokenSecret:
    """What the client holds: `hp_rt_<43 base64url>_<crc32>`.

    The prefix lets scanners find leaked ones and keeps kinds apart; the checksum refuses typing errors without
    asking the database.
    """

    text: str = field(repr=False)

    @classmethod
    def from_random(cls, random: bytes) -> Self:
        """The token of 256 random bits."""
        if len(random) != SECRET_BYTES:
            message = f"a refresh token is made of {SECRET_BYTES} random bytes"
            raise ValueError(message)
        secret = base64.urlsafe_b64encode(random).rstrip(b"=").decode()
        return cls(f"hp_rt_{secret}_{_checksum(secret)}")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The token that `text` is, or None where it cannot be one."""
        parts = _FORMAT.fullmatch(text)
        if parts is None or parts["checksum"] != _checksum(parts["secret"]):
            return None
        return cls(text)

    def digest(self) -> bytes:
        """SHA-256, all that is kept. 256 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"


class Presented(Enum):
    """What somebody who presents a refresh token is entitled to."""

    NEXT = auto()
    """The youngest token: the next one."""
    SAME = auto()
    """The one before, a moment ago: the same answer again. Two tabs, or an answer that was lost."""
    NOTHING = auto()
    """The session is over."""
    REUSED = auto()
    """Older: two parties hold tokens of one family, and one of them stole it (RFC 9700 section 4.14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """One generation of a session's token family, as it is kept. The first generation is 1.

    `sealed_answer` is what was answered when this one was rotated; only the holder of this very token can open it.
    """

    digest: bytes = field(repr=False)
    session_id: SessionId
    generation: int
    issued_at: datetime
    rotated_at: datetime | None = None
    sealed_answer: str | None = field(default=None, repr=False)

    @classmethod
    def first(cls, secret: RefreshTokenSecret, *, session_id: SessionId, at: datetime) -> Self:
        """The one that a session begins with."""
        return cls(digest=secret.digest(), session_id=session_id, generation=1, issued_at=at)
