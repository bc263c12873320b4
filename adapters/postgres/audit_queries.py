"""Which index a page of the audit log is read along, and what is tried on the entries that it finds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from adapters.postgres.models import AuditEntryModel
from application.ports.audit import AuditFilter, AuditPlace
from domain.events import Outcome

_ENTRIES = AuditEntryModel.__table__.c

type Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]
type Conditions = Sequence[ColumnElement[bool]]


def driven_by(wanted: AuditFilter) -> tuple[Conditions, Sequence[ColumnElement[Any]]]:
    """The condition that one index answers, and its order.

    People first, of whom each has few entries; then times, whose range has an end; then the rest.
    """
    in_order = [_ENTRIES.sequence]
    if wanted.user_id is not None:
        return [_ENTRIES.user_id == wanted.user_id], in_order
    if wanted.actor_id is not None:
        return [_ENTRIES.actor_id == wanted.actor_id], in_order
    if times := _times(wanted, _ENTRIES):
        return times, [_ENTRIES.occurred_at, _ENTRIES.sequence]
    if wanted.event is not None:
        return [_ENTRIES.event == wanted.event], in_order
    if wanted.outcome is Outcome.REFUSED:
        return [_ENTRIES.outcome == wanted.outcome], in_order
    return [], in_order


def goes_before(order: Sequence[ColumnElement[Any]], after: AuditPlace | None) -> Conditions:
    """That an entry comes behind the place where a page ended, newest first."""
    if after is None:
        return []
    return [tuple_(*order) < tuple_(*(getattr(after, column.name) for column in order))]


def fitting(wanted: AuditFilter, columns: Columns) -> Conditions:
    """That all of the filter applies."""
    equal = {
        "user_id": wanted.user_id,
        "actor_id": wanted.actor_id,
        "event": wanted.event,
        "outcome": wanted.outcome,
    }
    return [*(columns[name] == value for name, value in equal.items() if value is not None), *_times(wanted, columns)]


def _times(wanted: AuditFilter, columns: Columns) -> Conditions:
    found = []
    if wanted.occurred_after is not None:
        found.append(columns["occurred_at"] >= wanted.occurred_after)
    if wanted.occurred_before is not None:
        found.append(columns["occurred_at"] < wanted.occurred_before)
    return found
