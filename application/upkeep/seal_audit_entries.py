"""Sealing what was written down."""

from application.ports.unit_of_work import Transaction, UnitOfWork
from application.upkeep.in_batches import BATCH, in_batches
from domain.audit.chain import seal


class SealAuditEntries:
    """Give audit entries their places in the chain (LA-05). From then on none can be changed without a trace.

    One seals at a time, and writers never wait for it: an entry that is committed late is sealed late.
    """

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self) -> int:
        """How many were sealed: all that were to be seen at the end."""
        return await in_batches(self._unit_of_work, _seal_some)


async def _seal_some(tx: Transaction) -> int:
    end = await tx.audit_chain.lock()
    entries = await tx.audit_chain.unsealed(limit=BATCH)
    if entries:
        await tx.audit_chain.add(seal(entries, end))
    return len(entries)
