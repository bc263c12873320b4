"""Saying how far the audit log goes."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import UnitOfWork
from application.sessions.access_tokens import AccessTokenPolicy
from application.signing.key_ring import KeyRing
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.checkpoint import Checkpoint, CheckpointClaims

_EVERY = timedelta(days=1)


class MakeCheckpoint:
    """Sign the end of the chain. Whoever keeps that elsewhere can tell later whether anything before it has changed."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        seal: SealAuditEntries,
        keys: KeyRing,
        signer: TokenSigner,
        clock: Clock,
        policy: AccessTokenPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._seal = seal
        self._keys = keys
        self._signer = signer
        self._clock = clock
        self._policy = policy

    async def execute(self, *, if_due: bool = False) -> Checkpoint | None:
        """A checkpoint of everything up to now; None while there is nothing to prove.

        Where nothing is new it is the last one again. With `if_due`, also where that one is not a day old.
        """
        # First of all, for where there is none it is made, which is written down too.
        key, now = await self._keys.active(), self._clock.now()
        await self._seal.execute()
        async with self._unit_of_work.begin() as tx:
            end = await tx.audit_chain.lock()
            last = next(iter(await tx.audit_chain.checkpoints(limit=1)), None)
            if end is None:
                return None
            if last is not None and (
                last.claims.position >= end.position or (if_due and now < last.claims.made_at + _EVERY)
            ):
                return last
            claims = CheckpointClaims(
                issuer=self._policy.issuer,
                position=end.position,
                sequence=end.sequence,
                chain_hash=end.chain_hash.hex(),
                made_at=now,
                entries=end.position,
            )
            made = Checkpoint(claims=claims, key_id=key.id, statement=self._signer.sign_checkpoint(claims, key))
            await tx.audit_chain.add_checkpoint(made)
        return made
