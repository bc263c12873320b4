"""One page of a list."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_LIMIT = 200
DEFAULT_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Page[Item, Position]:
    """Some items, and where the next page begins after; None at the end."""

    items: Sequence[Item]
    after: Position | None
