"""Looking at what became of rows."""

from application.paging.page import Page, page_of
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserImportId
from domain.transfer.user_import import RowReport, Verdict


class ListImportRows:
    """Show what became of the rows of a file, in their order."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(
        self, *, import_id: UserImportId, limit: int, after: int = 0, verdict: Verdict | None = None
    ) -> Page[RowReport, int]:
        """At most `limit`, starting after that row; only those with a verdict, if one is named.

        Raises: ImportNotFound.
        """
        async with self._unit_of_work.read() as tx:
            await tx.user_imports.get(import_id)
            found = await tx.user_imports.reports(import_id, after=after, limit=limit + 1, verdict=verdict)
        return page_of(found, limit=limit, place=lambda row: row.number)
