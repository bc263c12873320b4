"""Reading the audit log."""

from application.paging.page import Page
from application.ports.audit import AuditFilter, AuditPlace
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.audit.audit_entry import AuditEntry
from domain.audit.audit_events import AuditRead


class ListAuditEntries:
    """Show operators what happened, newest first, and write down that they looked (LA-01)."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(
        self, wanted: AuditFilter, *, limit: int, after: AuditPlace | None = None
    ) -> Page[AuditEntry, AuditPlace]:
        """At most `limit` entries, from behind that place on. A page may be short or empty, and not the last."""
        async with self._unit_of_work.begin() as tx:
            entries, goes_on = await tx.audit.page(wanted, after=after, limit=limit)
            await tx.audit.append(
                AuditRead(user_id=None, occurred_at=self._clock.now(), what="entries", filters=wanted.names)
            )
        return Page(entries, goes_on)
