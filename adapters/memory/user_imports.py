"""Imports of users in memory."""

import copy
from collections.abc import Collection, Sequence
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, ImportPart, State, add_row, next_row_of, replace_row, row_of
from application.ports.jobs import Job, JobKind
from domain.ids import UserImportId
from domain.transfer.user_import import ImportNotFound, ImportState, RowReport, UserImport, Verdict


class MemoryUserImportRepository:
    """`UserImportRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, user_import: UserImport) -> None:
        row = row_of(user_import)
        await self._block.write(lambda state: add_row(state.imports, row.id, row), row.id)
        if row.state is ImportState.WAITING:
            self._block.jobs.append(Job(kind=JobKind.IMPORT, subject=row.id))
        await self._audit.append_all(user_import.collect_events())

    async def save(self, user_import: UserImport) -> None:
        row = next_row_of(user_import)
        await self._block.write(lambda state: replace_row(state.imports, row.id, row), row.id)
        user_import.version = row.version
        await self._audit.append_all(user_import.collect_events())

    async def get(self, import_id: UserImportId) -> UserImport:
        found = self._block.state().imports.get(import_id)
        if found is None:
            raise ImportNotFound
        return copy.deepcopy(found)

    async def lock(self, import_id: UserImportId) -> UserImport:
        await self._block.lock(import_id)
        return await self.get(import_id)

    async def page(self, *, before: UserImportId | None, limit: int) -> Sequence[UserImport]:
        imports = sorted(self._block.state().imports.values(), key=lambda row: row.id, reverse=True)
        return copy.deepcopy([row for row in imports if before is None or row.id < before][:limit])

    async def add_reports(self, import_id: UserImportId, reports: Sequence[RowReport]) -> None:
        def write(state: State) -> None:
            for report in reports:
                add_row(state.import_rows, (import_id, report.number), report)

        await self._block.write(write)

    async def reports(
        self, import_id: UserImportId, *, after: int, limit: int, verdict: Verdict | None = None
    ) -> Sequence[RowReport]:
        rows = self._block.state().import_rows.items()
        found = [
            report
            for (owner, number), report in sorted(rows)
            if owner == import_id and number > after and verdict in {None, report.verdict}
        ]
        return found[:limit]

    async def claim(self, import_id: UserImportId, digests: Collection[bytes]) -> None:
        def write(state: State) -> None:
            for digest in digests:
                add_row(state.import_claims, (import_id, digest), None)

        await self._block.write(write)

    async def claimed(self, import_id: UserImportId, digests: Collection[bytes]) -> set[bytes]:
        claims = self._block.state().import_claims
        return {digest for digest in digests if (import_id, digest) in claims}

    async def add_part(self, import_id: UserImportId, number: int, sealed: str, *, at: datetime) -> None:
        part = ImportPart(sealed=sealed, created_at=at)
        await self._block.write(lambda state: add_row(state.import_parts, (import_id, number), part))

    async def part(self, import_id: UserImportId, number: int) -> str | None:
        found = self._block.state().import_parts.get((import_id, number))
        return found.sealed if found is not None else None

    async def forget_parts(self, import_id: UserImportId) -> None:
        theirs = [key for key in self._block.state().import_parts if key[0] == import_id]
        await self._block.remove(lambda state: state.import_parts, *theirs)

    async def forget_claims(self, import_id: UserImportId, *, limit: int) -> int:
        gone = [key for key in self._block.state().import_claims if key[0] == import_id][:limit]
        return await self._block.remove(lambda state: state.import_claims, *gone)

    async def with_parts_from_before(self, moment: datetime, *, limit: int) -> Sequence[UserImportId]:
        parts = self._block.state().import_parts.items()
        return sorted({import_id for (import_id, _), part in parts if part.created_at < moment})[:limit]

    async def purge(self, *, untouched_since: datetime, limit: int) -> int:
        seen = self._block.state()
        over = {row.id for row in seen.imports.values() if row.updated_at < untouched_since}
        parts = [key for key in seen.import_parts if key[0] in over][:limit]
        claims = [key for key in seen.import_claims if key[0] in over][: limit - len(parts)]
        rows = [key for key in seen.import_rows if key[0] in over][: limit - len(parts) - len(claims)]
        imports = sorted(over)[: limit - len(parts) - len(claims) - len(rows)]

        def write(state: State) -> None:
            for part in parts:
                state.import_parts.pop(part, None)
            for claim in claims:
                state.import_claims.pop(claim, None)
            for row in rows:
                state.import_rows.pop(row, None)
            for import_id in imports:
                state.imports.pop(import_id, None)

        await self._block.write(write, *over)
        return len(parts) + len(claims) + len(rows) + len(imports)
