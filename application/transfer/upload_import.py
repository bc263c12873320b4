"""Moving in by sending a file."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress

from application.ports.clock import Clock
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import DatabaseUnavailable, TransactionConflict, UnitOfWork
from application.transfer.run_import import SEALED_PART, owner_of_part
from application.transfer.start_import import DraftImport
from domain.ids import UserId, UserImportId
from domain.transfer.user_import import ImportMode, RowFormat, UserImport

_PART_BYTES = 1024 * 1024


class UploadImport:
    """Keep a file that is being sent, sealed and part by part, and have a worker import it when it is whole.

    Until then there is no import, and whatever cuts it off leaves nothing, but for parts that are purged in time.
    """

    def __init__(self, unit_of_work: UnitOfWork, sealer: SecretSealer, draft_import: DraftImport, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._draft_import = draft_import
        self._clock = clock

    async def execute(
        self, *, file: AsyncIterable[bytes], mode: ImportMode, format: RowFormat, by: UserId
    ) -> UserImport:
        """The import, which waits.

        Raises: whatever `file` raises.
        """
        user_import = self._draft_import.draft(mode=mode, format=format, by=by)
        try:
            number = 0
            async for part in _parts_of(file):
                await self._keep(user_import.id, number, part)
                number += 1
            async with self._unit_of_work.begin() as tx:
                await tx.user_imports.add(user_import)
        except BaseException as error:
            with suppress(Exception):
                async with self._unit_of_work.begin() as tx:
                    await tx.user_imports.forget_parts(user_import.id)
            if isinstance(error, TransactionConflict):
                # Not to be tried again from here: what was sent cannot be read twice.
                raise DatabaseUnavailable(retry_after=error.retry_after) from error
            raise
        return user_import

    async def _keep(self, import_id: UserImportId, number: int, part: bytes) -> None:
        text = part.decode("latin-1")
        sealed = self._sealer.seal(text, purpose=SEALED_PART, owner=owner_of_part(import_id, number))
        async with self._unit_of_work.begin() as tx:
            await tx.user_imports.add_part(import_id, number, sealed, at=self._clock.now())


async def _parts_of(file: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The file in parts of a size; an empty one has one that is empty."""
    waiting, has_come = bytearray(), False
    async for block in file:
        waiting += block
        while len(waiting) >= _PART_BYTES:
            yield bytes(waiting[:_PART_BYTES])
            del waiting[:_PART_BYTES]
            has_come = True
    if waiting or not has_come:
        yield bytes(waiting)
