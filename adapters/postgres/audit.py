"""The audit log in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Row

from adapters.postgres.audit_queries import ENTRIES, PROOFS, last_examined, page_query, read_query
from adapters.postgres.jobs import PostgresOutbox
from adapters.postgres.models import AuditEntryModel, AuditProofModel
from adapters.postgres.statements import Statements, is_one_of
from application.audit.origin import present_origin
from application.audit.written import entry_of
from application.ports.audit import AuditFilter, AuditPlace
from application.ports.jobs import Job, JobKind
from application.ports.randomness import Randomness
from domain.audit.audit_entry import EXPLANATION, NETWORK_ADDRESS, AuditEntry, PersonalDetail, Source
from domain.events import Event, Outcome
from domain.ids import AuditEntryId, UserId

_OWN_COLUMNS = [own for own in AuditEntryModel.__table__.columns if own.name != "sequence"]

# One statement for all events of a write and for both tables: signing in does not wait for a further answer.
_GIVEN = (
    func.jsonb_to_recordset(bindparam("entries", type_=JSONB))
    .table_valued(*(column(own.name, own.type) for own in (*_OWN_COLUMNS, PROOFS.personal)), name="given")
    .render_derived(with_types=True)
)
_given = select(_GIVEN).cte("given_entries")
_written = (
    insert(AuditEntryModel)
    .from_select([own.name for own in _OWN_COLUMNS], select(*(_given.c[own.name] for own in _OWN_COLUMNS)))
    .returning(ENTRIES.sequence, ENTRIES.id)
    .cte("written")
)
_INSERT = insert(AuditProofModel).from_select(
    ["sequence", "personal"],
    select(_written.c.sequence, _given.c.personal).join_from(_written, _given, _written.c.id == _given.c.id),
)


class PostgresAuditLog:
    """`AuditLog` on the statements of a block."""

    def __init__(
        self,
        statements: Statements,
        randomness: Randomness,
        outbox: PostgresOutbox,
        acted_on: Mapping[str, JobKind],
    ) -> None:
        self._statements = statements
        self._randomness = randomness
        self._outbox = outbox
        self._acted_on = acted_on
        self.written: list[Event] = []

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        recorded = list(events)
        if not recorded:
            return
        entries = [entry_of(event, present_origin(), self._randomness) for event in recorded]
        await self._statements.write(_INSERT, {"entries": [_row(entry) for entry in entries]})
        await self._outbox.add(
            Job(kind=self._acted_on[entry.event], subject=entry.id)
            for entry in entries
            if entry.event in self._acted_on
        )
        self.written.extend(recorded)

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        row = await self._statements.row(read_query().where(ENTRIES.id == entry_id))
        return entry_from(row) if row is not None else None

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
