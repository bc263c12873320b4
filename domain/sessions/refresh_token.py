"""Refresh tokens: opaque, rotating, and kept only as hashes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Self

from domain.ids import SessionId
from domain.opaque_token import OpaqueToken, is_well_formed, written

_KIND = "rt"


class RefreshTokenSecret(OpaqueToken):
    """The refresh token that the client holds."""

    __slots__ = ()

    @classmethod
    def from_random(cls, random: bytes) -> Self:
        """The token of 256 random bits."""
        return cls(written(_KIND, random))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The token that `text` is, or None where it cannot be one."""
        return cls(text) if is_well_formed(_KIND, text) else None


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
