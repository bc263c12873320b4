"""Rotating signing keys."""

from collections.abc import Sequence
from datetime import datetime

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.token_signer import TokenSigner
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.idempotency.idempotent_request import Once
from domain.ids import KeyId, UserId
from domain.signing.signing_key import (
    KeyState,
    NextKeyTooYoung,
    SigningKey,
    SigningPolicy,
)

_KEY_ID_BYTES = 16


class RotateSigningKey:
    """Let the next key sign in place of the active one, and prepare another next one.

    The next key has been published for long by then, and the active one is believed for as long as its tokens live: no
    token fails anywhere. Where there are no keys yet, both are made.
    """

    def __init__(
        self, unit_of_work: UnitOfWork, signer: TokenSigner, clock: Clock, randomness: Randomness, policy: SigningPolicy
    ) -> None:
        self._unit_of_work = unit_of_work
        self._signer = signer
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    def is_due(self, key: SigningKey) -> bool:
        """Whether the key has signed for long enough."""
        return self._clock.now() >= key.state_since + self._policy.rotate_after

    async def execute(
        self, *, if_due: bool = False, at_once: bool = False, by: UserId | None = None, once: Once | None = None
    ) -> SigningKey:
        """The key that signs from now on. With `once`, nothing changes where an earlier try has done it.

        With `if_due`, nothing changes while the active key is young enough: for those that come together. With
        `at_once`, a next key that not everybody knows yet signs all the same. `by` is the operator, if one wants it.

        Raises: NextKeyTooYoung; ActiveSigningKeyExists, ConcurrentUpdate where another was faster; IdempotencyInFlight.
        """
        if once is not None and once.acted:
            return await self.replenish()
        now = self._clock.now()
        spare, first = self._make(now), self._make(now)
        async with self._unit_of_work.begin() as tx:
            keys = await tx.signing_keys.lock_all()
            active, upcoming = _in_state(keys, KeyState.ACTIVE), _in_state(keys, KeyState.NEXT)
            if active is not None:
                if if_due and not self.is_due(active):
                    return active
                if not at_once and (upcoming is None or not self._is_known(upcoming, now)):
                    raise NextKeyTooYoung
                active.retire(at=now, by=by)
                await tx.signing_keys.save(active)
            successor = await self._activate(tx, upcoming, first, now, by)
            await tx.signing_keys.add(spare)
            await self._revoke_outlived(tx, keys, now)
            if once is not None:
                await tx.idempotent_requests.note_act(once, by, at=now)
        return successor

    async def replenish(self) -> SigningKey:
        """The active key, after making whatever is missing: an active one, and a next one.

        Raises: ActiveSigningKeyExists, ConcurrentUpdate where another was faster.
        """
        now = self._clock.now()
        spare, first = self._make(now), self._make(now)
        async with self._unit_of_work.begin() as tx:
            keys = await tx.signing_keys.lock_all()
            active, upcoming = _in_state(keys, KeyState.ACTIVE), _in_state(keys, KeyState.NEXT)
            if active is None:
                active, upcoming = await self._activate(tx, upcoming, first, now, None), None
            if upcoming is None:
                await tx.signing_keys.add(spare)
        return active

    def _make(self, now: datetime) -> SigningKey:
        key_id = KeyId(self._randomness.secret(_KEY_ID_BYTES).hex())
        material = self._signer.generate(key_id)
        return SigningKey.prepared(
            id=key_id,
            algorithm=material.algorithm,
            public_key=material.public_key,
            sealed_private_key=material.sealed_private_key,
            at=now,
        )

    def _is_known(self, upcoming: SigningKey, now: datetime) -> bool:
        return now >= upcoming.state_since + self._policy.published_for

    @staticmethod
    async def _activate(
        tx: Transaction, upcoming: SigningKey | None, first: SigningKey, now: datetime, by: UserId | None
    ) -> SigningKey:
        if upcoming is None:
            first.activate(at=now, by=by)
            await tx.signing_keys.add(first)
            return first
        upcoming.activate(at=now, by=by)
        await tx.signing_keys.save(upcoming)
        return upcoming

    async def _revoke_outlived(self, tx: Transaction, keys: Sequence[SigningKey], now: datetime) -> None:
        for key in keys:
            if key.state is KeyState.RETIRING and now >= key.state_since + self._policy.retiring_for:
                key.revoke(at=now)
                await tx.signing_keys.save(key)


def _in_state(keys: Sequence[SigningKey], state: KeyState) -> SigningKey | None:
    return next((key for key in keys if key.state is state), None)
