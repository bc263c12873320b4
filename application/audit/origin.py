"""From where something is done, for the audit log.

For the record only. Nothing is ever decided on it: use cases still take principals as explicit arguments, and only the
adapters of the audit log read it, when they write. A holder that is set once, outside of all tasks of a request, takes
what becomes known later.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

from domain.audit.audit_entry import Source
from domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Through what, in which request, from where, and by whom if that was proven."""

    source: Source | None = None
    request_id: UUID | None = None
    network_address: str | None = None
    actor_id: UserId | None = None


@dataclass(slots=True)
class _Holder:
    origin: Origin


_NOWHERE = Origin()
_present: ContextVar[_Holder | None] = ContextVar("origin", default=None)


def present_origin() -> Origin:
    """What is known by now."""
    holder = _present.get()
    return holder.origin if holder is not None else _NOWHERE


@contextmanager
def acting_from(origin: Origin) -> Iterator[None]:
    """What is written down in the block comes from there."""
    token = _present.set(_Holder(origin))
    try:
        yield
    finally:
        _present.reset(token)


def note_actor(user_id: UserId) -> None:
    """From now on it is known who acts."""
    holder = _present.get()
    if holder is not None:
        holder.origin = replace(holder.origin, actor_id=user_id)
