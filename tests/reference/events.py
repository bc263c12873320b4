"""Every event of the domain."""

import inspect
from collections.abc import Iterator
from dataclasses import fields

from adapters.http.app import create_app  # noqa: F401  (whatever there is has been loaded then)
from application.jobs.handle_job import JOBS_OF_EVENTS
from domain.events import Event
from tests.reference import code, page, table

_INTRODUCTION = (
    "What can happen, as it stands in the [audit log](../audit.md), in users' history and in the log. `user_id` and "
    "`occurred_at` are in all of them; none holds a secret, a name or an e-mail address. Those with a job are acted on "
    "by a worker: `event` means that mails are made of them."
)


def render() -> str:
    """By name."""
    rows = (
        (
            code(event.name),
            inspect.getdoc(event) or "",
            ", ".join(code(item.name) for item in fields(event) if item.name not in {"user_id", "occurred_at"}),
            code(JOBS_OF_EVENTS[event.name].value) if event.name in JOBS_OF_EVENTS else "",
        )
        for event in sorted(_all(), key=lambda event: event.name)
    )
    return page("Events", _INTRODUCTION, table(["event", "what happened", "says", "job"], rows))


def _all() -> list[type[Event]]:
    def below(event: type[Event]) -> Iterator[type[Event]]:
        for child in event.__subclasses__():
            yield child
            yield from below(child)

    # By name, for a dataclass with slots leaves the class behind that it was made from.
    ours = (event for event in below(Event) if event.__module__.startswith("domain."))
    return [*{event.__qualname__: event for event in ours}.values()]
