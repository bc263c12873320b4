"""The audit log in PostgreSQL."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.engine import Row

from adapters.postgres.models import AuditEntryModel
from adapters.postgres.statements import Statements
from domain.audit.audit_entry import AuditEntry
from domain.events import Event
from domain.ids import UserId

_COLUMNS = AuditEntryModel.__table__.c


class PostgresAuditLog:
    """`AuditLog` on the statements of a block."""

    def __init__(self, statements: Statements, new_id: Callable[[Event], UUID]) -> None:
        self._statements = statements
        self._new_id = new_id
        self.written: list[Event] = []

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        if rows := [self._row(event) for event in events]:
            await self._statements.write(insert(AuditEntryModel), rows)

    async def of_user(self, user_id: UserId, *, limit: int) -> Sequence[AuditEntry]:
        query = select(AuditEntryModel.__table__).where(_COLUMNS.user_id == user_id)
        rows = await self._statements.rows(query.order_by(_COLUMNS.sequence.desc()).limit(limit))
        return [_entry(row) for row in rows]

    def _row(self, event: Event) -> dict[str, object]:
        self.written.append(event)
        return {
            "id": self._new_id(event),
            "event": event.name,
            "user_id": event.user_id,
            "occurred_at": event.occurred_at,
            "details": dict(event.details()),
        }


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(id=row.id, event=row.event, user_id=row.user_id, occurred_at=row.occurred_at, details=row.details)
