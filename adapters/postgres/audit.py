"""The audit log in PostgreSQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, cast, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Row

from adapters.postgres.jobs import PostgresOutbox
from adapters.postgres.models import AuditEntryModel
from adapters.postgres.statements import Statements
from application.ports.jobs import Job, JobKind
from domain.audit.audit_entry import PERSONAL_DETAILS, AuditEntry
from domain.events import Event
from domain.ids import AuditEntryId, UserId

_COLUMNS = AuditEntryModel.__table__.c


class PostgresAuditLog:
    """`AuditLog` on the statements of a block."""

    def __init__(
        self,
        statements: Statements,
        new_id: Callable[[Event], AuditEntryId],
        outbox: PostgresOutbox,
        acted_on: Mapping[str, JobKind],
    ) -> None:
        self._statements = statements
        self._new_id = new_id
        self._outbox = outbox
        self._acted_on = acted_on
        self.written: list[Event] = []

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        ids = {self._new_id(event): event for event in events}
        if not ids:
            return
        await self._statements.write(
            insert(AuditEntryModel), [_row(entry_id, event) for entry_id, event in ids.items()]
        )
        await self._outbox.add(
            Job(kind=self._acted_on[event.name], subject=entry_id)
            for entry_id, event in ids.items()
            if event.name in self._acted_on
        )
        self.written.extend(ids.values())

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        row = await self._statements.row(select(AuditEntryModel.__table__).where(_COLUMNS.id == entry_id))
        return _entry(row) if row is not None else None

    async def of_user(
        self, user_id: UserId, *, before: int | None = None, limit: int | None = None
    ) -> Sequence[AuditEntry]:
        query = select(AuditEntryModel.__table__).where(_COLUMNS.user_id == user_id)
        if before is not None:
            query = query.where(_COLUMNS.sequence < before)
        rows = await self._statements.rows(query.order_by(_COLUMNS.sequence.desc()).limit(limit))
        return [_entry(row) for row in rows]

    async def forget(self, user_id: UserId) -> None:
        personal = cast(sorted(PERSONAL_DETAILS), ARRAY(Text))
        await self._statements.write(
            update(AuditEntryModel)
            .where(_COLUMNS.user_id == user_id)
            .values(details=_COLUMNS.details.op("-")(personal))
        )


def _row(entry_id: AuditEntryId, event: Event) -> dict[str, object]:
    return {
        "id": entry_id,
        "event": event.name,
        "user_id": event.user_id,
        "occurred_at": event.occurred_at,
        "details": dict(event.details()),
    }


def _entry(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        sequence=row.sequence,
        event=row.event,
        user_id=row.user_id,
        occurred_at=row.occurred_at,
        details=row.details,
    )
