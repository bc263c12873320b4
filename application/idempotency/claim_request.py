"""Beginning a request that has a key."""

import hashlib
from dataclasses import dataclass, field

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import UnitOfWork
from domain.idempotency.idempotent_request import (
    IdempotencyInFlight,
    IdempotencyPolicy,
    IdempotentRequest,
    Once,
    key_reused,
)

SEALED_REQUEST = "idempotent request"
SEALED_ANSWER = "idempotent answer"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """How the request was answered."""

    text: str = field(repr=False)


class ClaimRequest:
    """Find out whether a request is still to be done, and see to it that nobody else does it meanwhile (AP-04)."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        sealer: SecretSealer,
        clock: Clock,
        randomness: Randomness,
        policy: IdempotencyPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(self, *, principal: str, route: str, key: str, body: bytes) -> Once | KeptAnswer:
        """The right to do it, or the answer that it was given before.

        Raises: IdempotencyKeyReused, IdempotencyInFlight.
        """
        now = self._clock.now()
        digest = IdempotentRequest.digest_of(principal=principal, route=route, key=key)
        sent = hashlib.sha256(body).hexdigest()
        async with self._unit_of_work.read() as tx:
            found = await tx.idempotent_requests.find(digest)
        if found is not None and not found.is_over(at=now):
            answer = self._answer_of(found, sent)
            if answer is not None:
                return answer
            if not found.may_be_claimed(at=now, policy=self._policy):
                raise IdempotencyInFlight
        request = IdempotentRequest(
            digest=digest,
            claim_id=self._randomness.uuid(at=now),
            claimed_at=now,
            expires_at=now + self._policy.kept_for,
            # Its hash alone would let whoever reads it guess at the password in the body.
            sealed_request=self._sealer.seal(sent, purpose=SEALED_REQUEST, owner=digest.hex()),
        )
        async with self._unit_of_work.begin() as tx:
            claimed = await tx.idempotent_requests.claim(request, self._policy)
        if claimed is None:
            raise IdempotencyInFlight
        return Once(
            digest=digest, claim_id=claimed.claim_id, acted=claimed.acted_at is not None, user_id=claimed.user_id
        )

    def _answer_of(self, found: IdempotentRequest, sent: str) -> KeptAnswer | None:
        owner = found.digest.hex()
        if self._sealer.open(found.sealed_request, purpose=SEALED_REQUEST, owner=owner) != sent:
            raise key_reused()
        if found.sealed_answer is None:
            return None
        text = self._sealer.open(found.sealed_answer, purpose=SEALED_ANSWER, owner=owner)
        return KeptAnswer(text) if text is not None else None
