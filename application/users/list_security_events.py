"""Looking back on what happened."""

from application.paging.page import Page
from application.ports.unit_of_work import UnitOfWork
from domain.audit.audit_entry import AuditEntry
from domain.ids import UserId


class ListSecurityEvents:
    """Show users what happened to them, newest first."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, user_id: UserId, limit: int, before: int | None = None) -> Page[AuditEntry, int]:
        """At most `limit` entries, starting before the one with that sequence number."""
        async with self._unit_of_work.read() as tx:
            # One more than is shown tells whether there are more.
            found = await tx.audit.of_user(user_id, before=before, limit=limit + 1)
        shown = found[:limit]
        return Page(shown, shown[-1].sequence if len(found) > limit else None)
