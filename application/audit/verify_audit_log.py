"""Verifying the audit log."""

from collections.abc import Sequence
from dataclasses import replace

from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from domain.audit.chain import Link, SealedEntry
from domain.audit.verification import Finding, KnownCheckpoint, Problem, Report, Verifier

# Hashing holds up everybody else in this process meanwhile: a few hundredths of a second at most.
_AT_ONCE = 250


class VerifyAuditLog:
    """Prove that the audit log is what it was, entry by entry (LA-05).

    Nothing is locked, and what is written meanwhile does not matter: places in the chain are given for good.
    """

    def __init__(self, unit_of_work: UnitOfWork, signer: TokenSigner) -> None:
        self._unit_of_work = unit_of_work
        self._signer = signer

    async def execute(
        self,
        *,
        from_position: int = 1,
        to_position: int | None = None,
        at_most: int | None = None,
        kept: Sequence[KnownCheckpoint] = (),
    ) -> Report:
        """What is wrong first, if anything is, between two positions, and in at most so many entries.

        What stands before `from_position` is taken on trust. `kept` are checkpoints that were kept elsewhere: only
        they uncover who could rewrite the whole database.
        """
        before = await self._link_at(from_position - 1) if from_position > 1 else None
        if from_position > 1 and before is None:
            # Nothing is there to begin behind: it is lost, or the log was cut off since somebody saw it go so far.
            lost = Problem(what=Finding.MISSING, position=from_position - 1, sequence=None, after_sequence=None)
            verifier = Verifier(after=Link(position=lost.position, sequence=0, chain_hash=b""))
            report = verifier.report(is_end=True, unsealed=await self._unsealed())
            return replace(report, to_position=lost.position - 1, problem=lost)
        verifier = Verifier([*await self._checkpoints(), *kept], after=before)
        bounds = (to_position, from_position + at_most - 1 if at_most is not None else None)
        last = min((bound for bound in bounds if bound is not None), default=None)
        looked: int | None = verifier.sequence if before is not None else None
        while verifier.problem is None:
            size = _AT_ONCE if last is None else min(_AT_ONCE, last - verifier.position)
            found = await self._sealed(verifier.position, size) if size > 0 else []
            for one in found:
                if not verifier.see(one):
                    break
            if found:
                await self._look_beside(verifier, after=looked, up_to=verifier.sequence)
                looked = verifier.sequence
            if len(found) < _AT_ONCE:
                break
        is_end = not await self._sealed(verifier.position, 1)
        if is_end:
            await self._look_beside(verifier, after=looked, up_to=None)
        return verifier.report(is_end=is_end, unsealed=await self._unsealed())

    async def _look_beside(self, verifier: Verifier, *, after: int | None, up_to: int | None) -> None:
        """Find what stands among the entries, where people read it, and not in the chain.

        Each stretch of sequences begins where the one before ended, so that nothing is passed over.
        """
        async with self._unit_of_work.read() as tx:
            found = await tx.audit_chain.kept_out(after=after, up_to=up_to)
        if found is not None:
            verifier.see_kept_out(found)

    async def _link_at(self, position: int) -> Link | None:
        for found in await self._sealed(position - 1, 1):
            if found.position == position:
                return found if isinstance(found, Link) else found.link
        return None

    async def _sealed(self, after: int, limit: int) -> Sequence[SealedEntry | Link]:
        async with self._unit_of_work.read() as tx:
            return await tx.audit_chain.sealed(after=after, limit=limit)

    async def _unsealed(self) -> int:
        async with self._unit_of_work.read() as tx:
            return await tx.audit_chain.count_unsealed()

    async def _checkpoints(self) -> Sequence[KnownCheckpoint]:
        async with self._unit_of_work.read() as tx:
            keys = {key.id: key for key in await tx.signing_keys.all()}
            checkpoints = await tx.audit_chain.checkpoints()
        return [
            KnownCheckpoint(
                claims=kept.claims,
                # The statement must vouch for what is told of it.
                is_signed=kept.key_id in keys
                and self._signer.read_checkpoint(kept.statement, keys[kept.key_id]) == kept.claims,
            )
            for kept in checkpoints
        ]
