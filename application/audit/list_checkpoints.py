"""Listing checkpoints."""

from application.paging.page import Page, page_of
from application.ports.unit_of_work import UnitOfWork
from domain.audit.checkpoint import Checkpoint


class ListCheckpoints:
    """Show operators the checkpoints that were made, newest first, to be kept elsewhere."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, limit: int, before: int | None = None) -> Page[Checkpoint, int]:
        """At most `limit`, starting before the one at that position."""
        async with self._unit_of_work.read() as tx:
            found = await tx.audit_chain.checkpoints(before=before, limit=limit + 1)
        return page_of(found, limit=limit, place=lambda checkpoint: checkpoint.claims.position)
