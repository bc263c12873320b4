"""Sealing what was written down."""

from application.ports.unit_of_work import UnitOfWork
from domain.audit.chain import seal

_AT_ONCE = 1_000


class SealAuditEntries:
    """Give audit entries their places in the chain (LA-05). From then on none can be changed without a trace.

    One seals at a time, and writers never wait for it: an entry that is committed late is sealed late.
    """

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self) -> int:
        """How many were sealed: all that were to be seen at the end."""
        sealed = 0
        while True:
            async with self._unit_of_work.begin() as tx:
                end = await tx.audit_chain.lock()
                entries = await tx.audit_chain.unsealed(limit=_AT_ONCE)
                if entries:
                    await tx.audit_chain.add(seal(entries, end))
            sealed += len(entries)
            if len(entries) < _AT_ONCE:
                return sealed
