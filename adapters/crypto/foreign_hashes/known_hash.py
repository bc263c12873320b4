"""What every family of hashes can say about one of its own."""

from typing import NamedTuple, Protocol

from application.ports.password_transfer import UnusableHash


class Cost(NamedTuple):
    """What one check takes: bytes of memory at its peak, and milliseconds on one core, as an estimate."""

    memory: int
    milliseconds: int


class KnownHash(Protocol):
    """A hash whose parts have been read and make sense, though they may ask too much."""

    @property
    def format(self) -> str:
        """The name of its algorithm."""
        ...

    @property
    def encoded(self) -> str:
        """The one spelling of it, ASCII, with everything in it that a check needs."""
        ...

    @property
    def cost(self) -> Cost:
        """What one check takes."""
        ...

    def matches(self, password: bytes) -> bool:
        """Whether this password made it. Compares in constant time; raises nothing."""
        ...


def unknown(*, detail: str) -> UnusableHash:
    """A refusal of what nobody here can read."""
    return UnusableHash(code="unknown_password_hash", detail=detail)


def malformed(*, detail: str) -> UnusableHash:
    """A refusal of what was recognised, and is not as its format says, or proves nothing."""
    return UnusableHash(code="malformed_password_hash", detail=detail)


def too_costly(*, detail: str) -> UnusableHash:
    """A refusal of what would be an attack on memory or time."""
    return UnusableHash(code="password_hash_too_costly", detail=detail)
