"""Moving in and out, in tests."""

import json
from collections.abc import AsyncIterator, Mapping

from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.clock import MemoryClock
from adapters.memory.password_transfer import MemoryPasswordTransfer
from adapters.memory.secret_sealer import MemorySecretSealer
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import UnitOfWork
from application.transfer.import_users import ImportPolicy, ImportUsers
from application.transfer.start_import import DraftImport, StartImport
from application.transfer.user_reader import UserReader
from domain.ids import UserImportId
from domain.transfer.user_import import ImportMode, RowFormat, RowReport, UserImport
from domain.users.user import User

SHA1 = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="
"""Of the word "password"."""


def ndjson(*rows: Mapping[str, object]) -> bytes:
    """A file of these rows."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


async def blocks_of(content: bytes, size: int = 1_000) -> AsyncIterator[bytes]:
    """The file as it is read."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


class Mover:
    """Brings files in."""

    def __init__(self, unit_of_work: UnitOfWork, *, rows_at_once: int = 3) -> None:
        self.clock = MemoryClock()
        self.unit_of_work = unit_of_work
        sealer, randomness = MemorySecretSealer(), SystemRandomness()
        reader = UserReader(StrictEmailParser(), MemoryPasswordTransfer(), randomness)
        self._start = StartImport(unit_of_work, DraftImport(sealer, self.clock, randomness), self.clock)
        self._import = ImportUsers(unit_of_work, sealer, reader, self.clock, ImportPolicy(rows_at_once=rows_at_once))

    async def start(self, mode: ImportMode = ImportMode.APPLY, format: RowFormat = RowFormat.NDJSON) -> UserImport:
        return await self._start.execute(mode=mode, format=format)

    async def go_on(self, import_id: UserImportId, content: bytes) -> UserImport:
        return await self._import.execute(import_id=import_id, source=blocks_of(content))

    async def go_on_reading(self, import_id: UserImportId, source: AsyncIterator[bytes]) -> UserImport:
        return await self._import.execute(import_id=import_id, source=source)

    async def bring(
        self, content: bytes, mode: ImportMode = ImportMode.APPLY, format: RowFormat = RowFormat.NDJSON
    ) -> UserImport:
        return await self.go_on((await self.start(mode, format)).id, content)

    async def reports(self, import_id: UserImportId) -> list[RowReport]:
        async with self.unit_of_work.read() as tx:
            return list(await tx.user_imports.reports(import_id, after=0, limit=10_000))

    async def verdicts(
        self, content: bytes, mode: ImportMode = ImportMode.APPLY, format: RowFormat = RowFormat.NDJSON
    ) -> list[RowReport]:
        """What becomes of each row, but for who came of it."""
        finished = await self.bring(content, mode, format)
        return [report._replace(user_id=None) for report in await self.reports(finished.id)]

    async def users(self) -> list[User]:
        async with self.unit_of_work.read() as tx:
            return list(await tx.bulk_users.page(after=None, limit=10_000))
