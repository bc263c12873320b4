"""Revoking signing keys."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.signing.rotate_signing_key import RotateSigningKey
from domain.ids import KeyId, UserId
from domain.signing.signing_key import KeyState, SigningKeyNotFound


class RevokeSigningKey:
    """Stop believing a key that somebody else may have."""

    def __init__(self, unit_of_work: UnitOfWork, rotate: RotateSigningKey, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._rotate = rotate
        self._clock = clock

    async def execute(self, *, key_id: KeyId, by: UserId | None = None) -> None:
        """Revoke it at once; another key signs if it was the active one. Repeating it is harmless.

        Other processes of ours notice within a minute, offline verifiers when they ask for our keys the next time.

        Raises: SigningKeyNotFound, ConcurrentUpdate.
        """
        async with self._unit_of_work.begin() as tx:
            keys = {key.id: key for key in await tx.signing_keys.lock_all()}
            key = keys.get(key_id)
            if key is None:
                raise SigningKeyNotFound
            was_needed = key.state in {KeyState.ACTIVE, KeyState.NEXT}
            key.revoke(at=self._clock.now(), by=by)
            await tx.signing_keys.save(key)
        if was_needed:
            await self._rotate.replenish()
