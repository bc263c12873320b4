"""Looking at an import."""

from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserImportId
from domain.transfer.user_import import UserImport


class ShowImport:
    """Show how far an import is."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, import_id: UserImportId) -> UserImport:
        """One import.

        Raises: ImportNotFound.
        """
        async with self._unit_of_work.read() as tx:
            return await tx.user_imports.get(import_id)
