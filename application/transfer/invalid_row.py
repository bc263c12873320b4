"""What is wrong with a row."""

import re

from domain.errors import Violation
from domain.transfer.user_import import MAX_FIELD_LENGTH

# The names of unknown fields come from the file: only those that look like names are repeated.
_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{MAX_FIELD_LENGTH}}}", re.ASCII)


class InvalidRow(Exception):
    """A row that no user can come of. Without a field, it is about the row as a whole."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.detail)
        self.violation = violation


def unknown_field(name: str) -> InvalidRow:
    """The refusal of a field that nobody would heed."""
    known = name if _NAME.fullmatch(name) else ""
    return InvalidRow(Violation(known, "unknown_field", "This field is not known here."))
