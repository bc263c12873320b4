"""Imports of users in PostgreSQL."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    LargeBinary,
    Select,
    any_,
    bindparam,
    cast,
    delete,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.jobs import queue
from adapters.postgres.models import Base, ImportClaimModel, ImportModel, ImportPartModel, ImportRowModel
from adapters.postgres.statements import Statements
from application.ports.jobs import JobKind
from domain.ids import UserImportId
from domain.transfer.user_import import (
    ImportMode,
    ImportNotFound,
    ImportState,
    Outcome,
    RowFormat,
    RowReport,
    UserImport,
    Verdict,
)

_IMPORTS = ImportModel.__table__
_ROWS = ImportRowModel.__table__
_CLAIMS = ImportClaimModel.__table__
_PARTS = ImportPartModel.__table__
_CLAIMED = select(_CLAIMS.c.digest).where(
    _CLAIMS.c.import_id == bindparam("import_id"),
    _CLAIMS.c.digest == any_(cast(bindparam("digests"), ARRAY(LargeBinary))),
)


class PostgresUserImportRepository:
    """`UserImportRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, user_import: UserImport) -> None:
        await self._statements.write(insert(ImportModel), _to_row(user_import))
        if user_import.state is ImportState.WAITING:
            await queue(self._statements, JobKind.IMPORT, [user_import.id])
        await self._audit.append_all(user_import.collect_events())

    async def save(self, user_import: UserImport) -> None:
        await self._statements.save(ImportModel, user_import, _to_row(user_import))
        await self._audit.append_all(user_import.collect_events())

    async def get(self, import_id: UserImportId) -> UserImport:
        return await self._one(select(_IMPORTS).where(_IMPORTS.c.id == import_id))

    async def lock(self, import_id: UserImportId) -> UserImport:
        return await self._one(select(_IMPORTS).where(_IMPORTS.c.id == import_id).with_for_update(key_share=True))

    async def page(self, *, before: UserImportId | None, limit: int) -> Sequence[UserImport]:
        query = select(_IMPORTS).order_by(_IMPORTS.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_IMPORTS.c.id < before)
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def add_reports(self, import_id: UserImportId, reports: Sequence[RowReport]) -> None:
        await self._statements.copy(
            ImportRowModel, ["import_id", *RowReport._fields], ((import_id, *report) for report in reports)
        )

    async def reports(
        self, import_id: UserImportId, *, after: int, limit: int, verdict: Verdict | None = None
    ) -> Sequence[RowReport]:
        query = select(*(_ROWS.c[name] for name in RowReport._fields))
        query = query.where(_ROWS.c.import_id == import_id, _ROWS.c.number > after)
        if verdict is not None:
            # As the index of all but the accepted has it: a parameter would not be found to imply it.
            query = query.where(_ROWS.c.verdict == literal(verdict.value, literal_execute=True))
        rows = await self._statements.rows(query.order_by(_ROWS.c.number).limit(limit))
        return [RowReport(*row)._replace(verdict=Verdict(row.verdict)) for row in rows]

    async def claim(self, import_id: UserImportId, digests: Collection[bytes]) -> None:
        await self._statements.copy(
            ImportClaimModel, ["import_id", "digest"], ((import_id, digest) for digest in digests)
        )

    async def claimed(self, import_id: UserImportId, digests: Collection[bytes]) -> set[bytes]:
        rows = await self._statements.rows(_CLAIMED, {"import_id": import_id, "digests": [*digests]})
        return {row.digest for row in rows}

    async def add_part(self, import_id: UserImportId, number: int, sealed: str, *, at: datetime) -> None:
        row = {"import_id": import_id, "number": number, "sealed": sealed, "created_at": at}
        await self._statements.write(insert(ImportPartModel), row)

    async def part(self, import_id: UserImportId, number: int) -> str | None:
        query = select(_PARTS.c.sealed).where(_PARTS.c.import_id == import_id, _PARTS.c.number == number)
        row = await self._statements.row(query)
        return row.sealed if row is not None else None

    async def forget_parts(self, import_id: UserImportId) -> None:
        await self._statements.write(delete(ImportPartModel).where(_PARTS.c.import_id == import_id))

    async def forget_claims(self, import_id: UserImportId, *, limit: int) -> int:
        return await self._delete_of(ImportClaimModel, [import_id], limit)

    async def with_parts_from_before(self, moment: datetime, *, limit: int) -> Sequence[UserImportId]:
        query = select(_PARTS.c.import_id).where(_PARTS.c.created_at < moment).distinct().limit(limit)
        return [UserImportId(row.import_id) for row in await self._statements.rows(query)]

    async def purge(self, *, untouched_since: datetime, limit: int) -> int:
        over = select(_IMPORTS.c.id).where(_IMPORTS.c.updated_at < untouched_since).order_by(_IMPORTS.c.id)
        ids = [UserImportId(row.id) for row in await self._statements.rows(over.limit(limit).with_for_update())]
        removed = 0
        for model in (ImportPartModel, ImportClaimModel, ImportRowModel):
            removed += await self._delete_of(model, ids, limit - removed)
        if ids and removed < limit:
            # Nothing else is left of them.
            gone = _IMPORTS.c.id.in_(ids[: limit - removed])
            removed += await self._statements.count(delete(ImportModel).where(gone))
        return removed

    async def _delete_of(self, model: type[Base], ids: Collection[UserImportId], limit: int) -> int:
        if not ids or limit <= 0:
            return 0
        key = [*model.__table__.primary_key]
        found = select(*key).where(model.__table__.c.import_id.in_(ids)).limit(limit)
        return await self._statements.count(delete(model).where(tuple_(*key).in_(found)))

    async def _one(self, query: Select[*tuple[Any, ...]]) -> UserImport:
        row = await self._statements.row(query)
        if row is None:
            raise ImportNotFound
        return _from_row(row)


def _to_row(user_import: UserImport) -> dict[str, object]:
    return {
        "id": user_import.id,
        "version": user_import.version,
        "mode": user_import.mode,
        "format": user_import.format,
        "by": user_import.by,
        "state": user_import.state,
        "failure": user_import.failure,
        "rows": user_import.rows,
        "tally": [outcome._asdict() | {"count": count} for outcome, count in user_import.tally.items()],
        "fingerprint": user_import.fingerprint,
        "sealed_key": user_import.sealed_key,
        "created_at": user_import.created_at,
        "started_at": user_import.started_at,
        "finished_at": user_import.finished_at,
        "updated_at": user_import.updated_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> UserImport:
    return UserImport(
        id=row.id,
        version=row.version,
        mode=ImportMode(row.mode),
        format=RowFormat(row.format),
        by=row.by,
        state=ImportState(row.state),
        failure=row.failure,
        rows=row.rows,
        tally=Counter(
            {
                Outcome(Verdict(item["verdict"]), item["code"], item["password_format"]): item["count"]
                for item in row.tally
            }
        ),
        fingerprint=row.fingerprint,
        sealed_key=row.sealed_key,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        updated_at=row.updated_at,
    )
