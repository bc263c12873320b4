"""Moving in, in the background."""

from collections.abc import AsyncIterator

from application.ports.clock import Clock
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import UnitOfWork
from application.transfer.import_users import ImportUsers
from domain.ids import UserImportId
from domain.transfer.user_import import ImportIsOver, ImportNotFound, UnreadableFile

SEALED_PART = "part of an import"
FILE_GONE = "file_gone"


def owner_of_part(import_id: UserImportId, number: int) -> str:
    """Whose a sealed part is: none can be put in another's place."""
    return f"{import_id} {number}"


class FileGone(Exception):
    """A part of the file is not there any more, or was sealed under another root key."""


class RunImport:
    """Do an import whose file was sent to us, wherever it stopped, and forget the file."""

    def __init__(self, unit_of_work: UnitOfWork, sealer: SecretSealer, import_users: ImportUsers, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._import_users = import_users
        self._clock = clock

    async def execute(self, *, import_id: UserImportId) -> None:
        """Do it; one that is over, or is no more, is done. What cannot be read leaves it failed.

        Raises: whatever may pass.
        """
        try:
            await self._import_users.execute(import_id=import_id, source=self._file(import_id))
        except (ImportIsOver, ImportNotFound):
            pass
        except UnreadableFile as error:
            await self._fail(import_id, error.code)
        except FileGone:
            await self._fail(import_id, FILE_GONE)
        async with self._unit_of_work.begin() as tx:
            await tx.user_imports.forget_parts(import_id)

    async def _fail(self, import_id: UserImportId, code: str) -> None:
        async with self._unit_of_work.begin() as tx:
            user_import = await tx.user_imports.lock(import_id)
            user_import.fail(code, at=self._clock.now())
            await tx.user_imports.save(user_import)

    async def _file(self, import_id: UserImportId) -> AsyncIterator[bytes]:
        number = 0
        while True:
            async with self._unit_of_work.read() as tx:
                sealed = await tx.user_imports.part(import_id, number)
            if sealed is None:
                break
            text = self._sealer.open(sealed, purpose=SEALED_PART, owner=owner_of_part(import_id, number))
            if text is None:
                raise FileGone
            yield text.encode("latin-1")
            number += 1
        if number == 0:
            raise FileGone
