"""Where a list goes on, in the hands of callers."""

import base64
import json

from application.ports.secret_sealer import SecretSealer
from domain.errors import InvalidInput, Violation

MAX_CURSOR_LENGTH = 1024
_PURPOSE = "cursor"


class InvalidCursor(InvalidInput):
    """The cursor is none of ours, or belongs to another list, another filter or another caller."""

    code = "invalid_cursor"
    title = "The cursor does not belong to this list"


class Cursors:
    """Seals the key values at which a page ends, bound to the list that they are from (AP-05).

    Nobody can make one up, and none says anything but where to go on: a cursor is never part of a statement.
    """

    def __init__(self, sealer: SecretSealer) -> None:
        self._sealer = sealer

    def write(self, position: int | str, *, of: str) -> str:
        """A cursor for a position. `of` names the list with its filters, its order and whose it is."""
        return _written(self._sealer.seal(json.dumps(position), purpose=_PURPOSE, owner=of))

    def read(self, cursor: str, *, of: str) -> int | str:
        """The position in a cursor.

        Raises: InvalidCursor.
        """
        try:
            sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        except ValueError:
            raise _invalid() from None
        position = self._sealer.open(sealed, purpose=_PURPOSE, owner=of)
        # Base64 has several spellings of the same; ours is one.
        if position is None or _written(sealed) != cursor:
            raise _invalid()
        found: int | str = json.loads(position)
        return found


def _written(sealed: str) -> str:
    return base64.urlsafe_b64encode(sealed.encode()).decode().rstrip("=")


def _invalid() -> InvalidCursor:
    return InvalidCursor([Violation("cursor", "invalid", "Take the cursor of a page of this very list, or none.")])
