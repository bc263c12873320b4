"""The audit log in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Row

from adapters.postgres.audit_queries import ENTRIES, PROOFS, last_examined, page_query, read_query
from adapters.postgres.models import AuditProofModel
from adapters.postgres.recorded import Recorded
from adapters.postgres.statements import Statements, is_one_of
from application.audit.origin import present_origin
from application.audit.written import entry_of
from application.ports.audit import AuditFilter, AuditPlace
from application.ports.jobs import JobKind
from application.ports.randomness import Randomness
from domain.audit.audit_entry import EXPLANATION, NETWORK_ADDRESS, AuditEntry, PersonalDetail, Source
from domain.events import Aggregate, Event, Outcome
from domain.ids import AuditEntryId, UserId

_APPEND = Recorded()


class PostgresAuditLog:
    """`AuditLog` on the statements of a block."""

    def __init__(
        self,
        statements: Statements,
        randomness: Randomness,
        acted_on: Mapping[str, JobKind],
    ) -> None:
        self._statements = statements
        self._randomness = randomness
        self._acted_on = acted_on
        self.written: list[Event] = []

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        if recorded := list(events):
            await self._write(_APPEND, recorded, {})

    async def record(self, act: Recorded, aggregate: Aggregate, /, **values: object) -> Any | None:  # noqa: ANN401
        """Keep an aggregate and what it recorded, in one statement: the row of the act, None where there was none."""
        row = await self._write(act, aggregate.uncollected_events, values)
        if row is not None:
            aggregate.collect_events()
        return row

    async def _write(self, act: Recorded, events: Sequence[Event], values: Mapping[str, object]) -> Any | None:  # noqa: ANN401
        entries = [entry_of(event, present_origin(), self._randomness) for event in events]
        rows = [_row(entry) | {"job": self._acted_on.get(entry.event)} for entry in entries]
        statement = act.statement(has_jobs=any(row["job"] for row in rows))
        row = await self._statements.prepared_row(statement, entries=rows, **values)
        if row is not None:
            self.written.extend(events)
        return row

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        return await self._statements.find(read_query().where(ENTRIES.id == entry_id), entry_from)

    async def of_user(
        self, user_id: UserId, *, before: int | None = None, limit: int | None = None
    ) -> Sequence[AuditEntry]:
        query = read_query().where(ENTRIES.user_id == user_id)
        if before is not None:
            query = query.where(ENTRIES.sequence < before)
        rows = await self._statements.rows(query.order_by(ENTRIES.sequence.desc()).limit(limit))
        return [entry_from(row) for row in rows]

    async def page(
        self, wanted: AuditFilter, *, after: AuditPlace | None = None, limit: int
    ) -> tuple[Sequence[AuditEntry], AuditPlace | None]:
        rows = await self._statements.rows(page_query(wanted, after, limit))
        entries = [entry_from(row) for row in rows[:limit]]
        if len(rows) > limit:
            return entries, AuditPlace(sequence=entries[-1].sequence, occurred_at=entries[-1].occurred_at)
        if wanted == wanted.looked_up:
            return entries, None
        last = await self._statements.row(last_examined(wanted, after))
        return entries, AuditPlace(sequence=last.sequence, occurred_at=last.occurred_at) if last is not None else None

    async def forget(self, user_id: UserId) -> None:
        is_theirs = or_(ENTRIES.actor_id == user_id, and_(ENTRIES.user_id == user_id, ENTRIES.actor_id.is_(None)))
        await self._destroy(NETWORK_ADDRESS, is_theirs)
        await self._destroy(EXPLANATION, ENTRIES.user_id == user_id)

    async def purge_personal(self, *, occurred_before: datetime, limit: int) -> int:
        # The oldest by sequence, which is very nearly their order in time: nothing is looked for among the rest.
        oldest = select(PROOFS.sequence).where(PROOFS.personal.is_not(None))
        return await self._statements.count(
            update(AuditProofModel)
            .where(
                is_one_of(PROOFS.sequence, oldest, limit, by=PROOFS.sequence),
                ENTRIES.sequence == PROOFS.sequence,
                ENTRIES.occurred_at < occurred_before,
            )
            .values(personal=null())
        )

    async def _destroy(self, name: str, where: ColumnElement[bool]) -> None:
        rest = func.nullif(PROOFS.personal.op("-")(cast([name], ARRAY(Text))), cast({}, JSONB))
        await self._statements.write(
            update(AuditProofModel)
            .where(ENTRIES.sequence == PROOFS.sequence, where, PROOFS.personal.has_key(name))
            .values(personal=rest)
        )


def _row(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": str(entry.id),
        "event": entry.event,
        "outcome": entry.outcome,
        "source": entry.source,
        "actor_id": _text(entry.actor_id),
        "user_id": _text(entry.user_id),
        "occurred_at": entry.occurred_at.isoformat(),
        "request_id": _text(entry.request_id),
        "details": dict(entry.public),
        "commitments": dict(entry.commitments),
        "personal": {name: {"salt": kept.salt, "value": kept.value} for name, kept in entry.personal.items()} or None,
    }


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None


def entry_from(row: Row[*tuple[Any, ...]]) -> AuditEntry:
    """The entry of a row that has the columns of `ROW`."""
    return AuditEntry(
        id=row.id,
        sequence=row.sequence,
        event=row.event,
        outcome=Outcome(row.outcome),
        source=Source(row.source) if row.source is not None else None,
        actor_id=row.actor_id,
        user_id=row.user_id,
        occurred_at=row.occurred_at,
        request_id=row.request_id,
        public=row.details,
        commitments=row.commitments or {},
        personal={
            name: PersonalDetail(salt=kept["salt"], value=kept["value"]) for name, kept in (row.personal or {}).items()
        },
    )
