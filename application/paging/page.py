"""One page of a list."""

from collections.abc import Sequence
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
