"""Which passwords may be chosen (NIST SP 800-63B-4 section 3.1.1.2; PW-01 to PW-05)."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.errors import InvalidInput, Violation
from domain.text import is_storable
from domain.users.email_address import EmailAddress
from domain.users.password import Password

MAX_LENGTH = 256
MIN_LENGTH_FLOOR = 8
SERVICE_NAME = "hallporter"

# A context word shorter than this says nothing about a password; and of a password this much must be left when its
# context words are taken away.
_SHORTEST_CONTEXT_WORD = 4
_LEFT_WITHOUT_CONTEXT = 8


class PasswordRejected(InvalidInput):
    """The chosen password breaks the policy."""

    code = "password_rejected"
    title = "This password cannot be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """The rules for new passwords. Lengths are in code points after NFC; longer ones are refused, never cut.

    There are no composition rules and no expiry: both make passwords worse.
    """

    is_common: Callable[[str], bool]
    min_length: int = 15

    def __post_init__(self) -> None:
        if not MIN_LENGTH_FLOOR <= self.min_length <= MAX_LENGTH:
            message = f"min_length must lie between {MIN_LENGTH_FLOOR} and {MAX_LENGTH}"
            raise ValueError(message)

    def accept(self, typed: str, *, email: EmailAddress, display_name: str | None, field: str = "password") -> Password:
        """Check what a person chose for the user with this address and name.

        Raises: PasswordRejected, with every reason at once.
        """
        password = Password(typed)
        if reasons := tuple(self._reasons(password.text, email, display_name)):
            raise PasswordRejected(Violation(field, code, detail) for code, detail in reasons)
        return password

    def _reasons(self, text: str, email: EmailAddress, display_name: str | None) -> Iterator[tuple[str, str]]:
        if not is_storable(text):
            yield "password_unreadable", "The password contains a character that cannot be stored."
        if len(text) < self.min_length:
            yield "password_too_short", f"Use at least {self.min_length} characters; a few words will do."
        if len(text) > MAX_LENGTH:
            yield "password_too_long", f"Use at most {MAX_LENGTH} characters."
        elif self.is_common(text) or self.is_common(text.casefold()):
            yield "password_blocklisted", "This password is on a list of common passwords."
        elif self._leans_on_context(text, email, display_name):
            yield "password_guessable", "This password is made of the service's name, your name or your address."

    def _leans_on_context(self, text: str, email: EmailAddress, display_name: str | None) -> bool:
        """Whether nothing much is left once everything that is known about the user is taken away (PW-05)."""
        remainder = _folded(text)
        mentioned = [word for word in self._context_words(email, display_name) if word in remainder]
        for word in sorted(mentioned, key=len, reverse=True):
            remainder = remainder.replace(word, "")
        return bool(mentioned) and (len(remainder) < _LEFT_WITHOUT_CONTEXT or self.is_common(remainder))

    @staticmethod
    def _context_words(email: EmailAddress, display_name: str | None) -> set[str]:
        wholes = [SERVICE_NAME, email.canonical, email.local_part, email.domain, display_name or ""]
        pieces = [piece for whole in wholes for piece in re.split(r"[\W_]+", whole)]
        words = (_folded(word) for word in [*wholes, *pieces])
        return {word for word in words if len(word) >= _SHORTEST_CONTEXT_WORD}


def _folded(text: str) -> str:
    """Letters and digits alone, without case: `Hall-Porter` and `hallporter` are the same guess."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
