"""Keeping a user out."""

from dataclasses import dataclass
from datetime import datetime

from domain.errors import Conflict, InvalidFields, Violation

MAX_REASON_LENGTH = 500


class AlreadySuspended(Conflict):
    """The user is suspended: reinstate them first, to suspend them otherwise."""

    code = "already_suspended"
    title = "The user is suspended already"


class NotSuspended(Conflict):
    """There is nothing to lift."""

    code = "not_suspended"
    title = "The user is not suspended"


class LastAdmin(Conflict):
    """Nobody would be left who could let anybody in again (AD-05)."""

    code = "last_admin"
    title = "This is the last operator who can act; make another one first"


def checked_reason(text: str) -> str:
    """Why an operator does something to a user.

    Raises: InvalidFields.
    """
    if not 0 < len(text.strip()) <= len(text) <= MAX_REASON_LENGTH:
        detail = f"Say why, in at most {MAX_REASON_LENGTH} characters."
        raise InvalidFields([Violation("reason", "invalid_reason", detail)])
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Since when a user is kept out, why, and until when; without an end, until somebody reinstates them."""

    since: datetime
    reason: str
    until: datetime | None = None

    def __post_init__(self) -> None:
        checked_reason(self.reason)
        if self.until is not None and self.until <= self.since:
            raise InvalidFields([Violation("until", "in_the_past", "Choose a moment that is still to come.")])

    def holds(self, *, at: datetime) -> bool:
        """Whether the user is kept out at that moment."""
        return self.until is None or at < self.until
