"""Passwords as people type them, and as they are kept."""

import unicodedata
from dataclasses import dataclass, field

from domain.errors import NotAllowed
from domain.ids import UserId


@dataclass(frozen=True, slots=True)
class Password:
    """What a person typed, brought into Unicode NFC and otherwise taken to the letter (PW-02).

    So every keyboard spells the same password alike.
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", unicodedata.normalize("NFC", self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordHash:
    """What is kept of a password. Only the hasher that made it can read it, and it matches for its owner alone."""

    owner: UserId
    encoded: str = field(repr=False)


class WrongPassword(NotAllowed):
    """Somebody who is signed in did not know the password."""

    code = "wrong_password"
    title = "The password is wrong"
