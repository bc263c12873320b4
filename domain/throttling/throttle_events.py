"""What happens to counters."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlesCleared(Event):
    """An operator let a user try again who had used up the guesses at their password, or whom others had."""

    name = "throttles.cleared"
    by: UserId | None
