"""Listing imports."""

from application.paging.page import Page, page_of
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserImportId
from domain.transfer.user_import import UserImport


class ListImports:
    """Show imports page by page, newest first."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, limit: int, before: UserImportId | None = None) -> Page[UserImport, UserImportId]:
        """At most `limit`, starting after the one with the id `before`."""
        async with self._unit_of_work.read() as tx:
            found = await tx.user_imports.page(before=before, limit=limit + 1)
        return page_of(found, limit=limit, place=lambda user_import: user_import.id)
