"""One page of a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MOST_EXAMINED = 5000
"""So many entries of an index are looked at for one page, whatever the filters: then the next page goes on."""


@dataclass(frozen=True, slots=True)
class Page[Item, Position]:
    """Some items, and where the next page begins after; None at the end. Few or no items alone are not the end."""

    items: Sequence[Item]
    after: Position | None


def page_of[Item, Position](
    found: Sequence[Item], *, limit: int, place: Callable[[Item], Position]
) -> Page[Item, Position]:
    """At most `limit` of what was found: one more than is shown tells that there are more."""
    shown = found[:limit]
    return Page(shown, place(shown[-1]) if len(found) > limit else None)
