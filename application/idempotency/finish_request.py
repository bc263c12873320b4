"""Ending a request that has a key."""

from application.idempotency.claim_request import SEALED_ANSWER, KeptAnswer
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import UnitOfWork
from domain.idempotency.idempotent_request import Once


class FinishRequest:
    """Keep the answer for whoever asks again, or give the key free where nothing was done."""

    def __init__(self, unit_of_work: UnitOfWork, sealer: SecretSealer) -> None:
        self._unit_of_work = unit_of_work
        self._sealer = sealer

    async def execute(self, *, once: Once, answer: KeptAnswer | None) -> None:
        """Keep the answer; without one, whoever comes with the key next begins anew."""
        async with self._unit_of_work.begin() as tx:
            if answer is None:
                await tx.idempotent_requests.release(once)
            else:
                sealed = self._sealer.seal(answer.text, purpose=SEALED_ANSWER, owner=once.digest.hex())
                await tx.idempotent_requests.answer(once, sealed)
