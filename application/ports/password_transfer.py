"""Password hashes that other systems made, and that others shall have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from domain.ids import UserId
from domain.users.password import PasswordHash

type WrittenHash = str | Mapping[str, object]
"""A hash as a file has it: one text in the notation of whoever made it, or an object that names format and parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignHash:
    """A hash whose format was recognised. `encoded` is one spelling for all the notations that mean the same."""

    format: str
    encoded: str = field(repr=False)


class UnusableHash(ValueError):
    """Nobody could ever sign in with this hash. `code` is stable; `detail` says what is wrong, and never repeats it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class PasswordTransfer(Protocol):
    """Takes hashes of other systems in, and hands ours out. Nothing here is slow: no password is checked."""

    def recognise(self, written: WrittenHash) -> ForeignHash:
        """What it is. Only what `PasswordHasher.matches` can check later, at a price that is bounded.

        Raises: UnusableHash, with `unknown_password_hash`, `malformed_password_hash` or `password_hash_too_costly`.
        """
        ...

    def take_in(self, foreign: ForeignHash, *, owner: UserId) -> PasswordHash:
        """The hash as it is kept: `PasswordHasher` checks it, and says that it needs a rehash if it is not ours."""
        ...

    def hand_out(self, hashed: PasswordHash) -> str | None:
        """The hash in a notation that `recognise` reads, here or elsewhere; None where it cannot be opened."""
        ...
