"""Facts worth keeping. An aggregate records them while it changes; whoever stores it writes them down with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum, StrEnum
from typing import ClassVar
from uuid import UUID

from domain.ids import UserId

type Detail = str | int | bool | list[str] | None


class Outcome(StrEnum):
    """How something ended for whoever tried it."""

    SUCCESS = "success"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a user. Holds ids and names of fields, never secrets.

    `name` is stable: the audit log, mail and exports are built on it. `user_id` is whom it is about, and None
    where that is not known, as in a sign-in to an address that nobody has. Where `is_own_act`, whoever did it is that
    user, though nobody was signed in yet.
    """

    name: ClassVar[str]
    outcome: ClassVar[Outcome] = Outcome.SUCCESS
    is_own_act: ClassVar[bool] = False

    user_id: UserId | None
    occurred_at: datetime

    def details(self) -> Mapping[str, Detail]:
        """What this kind of event says beyond whom and when, ready for JSON."""
        own = (item.name for item in fields(self) if item.name not in {"user_id", "occurred_at"})
        return {name: _as_detail(getattr(self, name)) for name in own}


def _as_detail(value: object) -> Detail:
    match value:
        case Enum(value=str(text)) | str(text):
            return text
        case None | bool() | int():
            return value
        case UUID():
            return str(value)
        case frozenset() | tuple():
            return sorted(str(item) for item in value)
    message = f"an event cannot hold a {type(value).__name__}"
    raise TypeError(message)


@dataclass(slots=True, kw_only=True)
class Aggregate:
    """An entity that is loaded and stored as a whole.

    `version` counts its stored states, from 1. A repository writes only over the version that was loaded.
    """

    version: int = 1
    _recorded: list[Event] = field(default_factory=list, repr=False, compare=False)

    def record(self, event: Event) -> None:
        """Remember an event until the aggregate is stored."""
        self._recorded.append(event)

    @property
    def uncollected_events(self) -> tuple[Event, ...]:
        """What was recorded and not yet handed over."""
        return tuple(self._recorded)

    def collect_events(self) -> tuple[Event, ...]:
        """Hand over what was recorded, once."""
        events = self.uncollected_events
        self._recorded.clear()
        return events
