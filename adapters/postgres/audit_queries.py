"""Queries of the audit log: along which index a page is read, and what is tried on the entries found."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from adapters.postgres.models import AuditEntryModel, AuditProofModel
from application.ports.audit import EXAMINED_AT_ONCE, AuditFilter, AuditPlace

ENTRIES = AuditEntryModel.__table__.c
PROOFS = AuditProofModel.__table__.c
ROW = (AuditEntryModel.__table__, PROOFS.personal)
"""What an entry is made of."""

type Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]
type Conditions = Sequence[ColumnElement[bool]]


def read_query() -> Select[*tuple[Any, ...]]:
    """Entries, with what is personal as far as it is left."""
    return select(*ROW).join_from(AuditEntryModel, AuditProofModel, ENTRIES.sequence == PROOFS.sequence, isouter=True)


def page_query(wanted: AuditFilter, after: AuditPlace | None, limit: int) -> Select[*tuple[Any, ...]]:
    """A page and one more."""
    is_all = wanted == wanted.looked_up
    examined = (
        select(AuditEntryModel.__table__)
        .where(*_looked_up(wanted, after))
        .order_by(*(column.desc() for column in _order(wanted)))
        .limit(limit + 1 if is_all else EXAMINED_AT_ONCE)
        .subquery("examined")
    )
    return (
        select(examined, PROOFS.personal)
        .join_from(examined, AuditProofModel, examined.c.sequence == PROOFS.sequence, isouter=True)
        .where(*(() if is_all else _fitting(wanted, examined.c)))
        .order_by(*(examined.c[column.name].desc() for column in _order(wanted)))
        .limit(limit + 1)
    )


def last_examined(wanted: AuditFilter, after: AuditPlace | None) -> Select[*tuple[Any, ...]]:
    """The entry that a page may go on behind, if there are more than it has looked at."""
    found = (
        select(ENTRIES.sequence, ENTRIES.occurred_at)
        .where(*_looked_up(wanted, after))
        .order_by(*(column.desc() for column in _order(wanted)))
    )
    more = found.offset(EXAMINED_AT_ONCE).limit(1).exists()
    return found.where(more).offset(EXAMINED_AT_ONCE - 1).limit(1)


def _order(wanted: AuditFilter) -> Sequence[ColumnElement[Any]]:
    return [ENTRIES.occurred_at, ENTRIES.sequence] if wanted.looked_up.is_by_time else [ENTRIES.sequence]


def _looked_up(wanted: AuditFilter, after: AuditPlace | None) -> Conditions:
    """What one index answers: that an entry fits, and that it comes behind the place where a page ended."""
    found = _fitting(wanted.looked_up, ENTRIES)
    if after is None:
        return found
    order = _order(wanted)
    return [*found, tuple_(*order) < tuple_(*(getattr(after, column.name) for column in order))]


def _fitting(wanted: AuditFilter, columns: Columns) -> Conditions:
    """That all of the filter applies."""
    equal = {"user_id": wanted.user_id, "actor_id": wanted.actor_id, "event": wanted.event, "outcome": wanted.outcome}
    found = [columns[name] == value for name, value in equal.items() if value is not None]
    if wanted.occurred_after is not None:
        found.append(columns["occurred_at"] >= wanted.occurred_after)
    if wanted.occurred_before is not None:
        found.append(columns["occurred_at"] < wanted.occurred_before)
    return found
