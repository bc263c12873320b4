"""Taking the audit log elsewhere."""

from collections.abc import AsyncIterator

from application.audit.exports import End, Header, Line
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.access_tokens import AccessTokenPolicy
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.audit_events import AuditRead
from domain.audit.chain import SealedEntry

_AT_ONCE = 1_000


class ExportAuditLog:
    """Hand out the whole log, sealed, so that others can verify it without us. It is written down that somebody did."""

    def __init__(
        self, unit_of_work: UnitOfWork, seal: SealAuditEntries, clock: Clock, policy: AccessTokenPolicy
    ) -> None:
        self._unit_of_work = unit_of_work
        self._seal = seal
        self._clock = clock
        self._policy = policy

    async def execute(self, *, with_personal: bool = True) -> AsyncIterator[Line]:
        """Line by line. Entries that are written meanwhile may or may not be among them."""
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(AuditRead(user_id=None, occurred_at=now, what="export", filters=()))
        await self._seal.execute()
        yield Header(issuer=self._policy.issuer, made_at=now, with_personal=with_personal)
        async with self._unit_of_work.read() as tx:
            # Before the entries: all that these speak of are there by then, or are lost.
            checkpoints = await tx.audit_chain.checkpoints()
        for checkpoint in reversed(checkpoints):
            yield checkpoint
        position = 0
        while True:
            async with self._unit_of_work.read() as tx:
                found = await tx.audit_chain.sealed(after=position, limit=_AT_ONCE)
            for one in found:
                # One that is lost leaves a gap, which whoever verifies the file finds.
                if isinstance(one, SealedEntry):
                    yield one
                position = one.position
            if len(found) < _AT_ONCE:
                break
        yield End(entries=position)
