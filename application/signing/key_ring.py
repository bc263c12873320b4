"""The signing keys at hand."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.signing.rotate_signing_key import RotateSigningKey
from domain.errors import Conflict, Unavailable
from domain.ids import KeyId
from domain.signing.signing_key import KeyState, SigningKey

# How long a process may go on with the keys it has seen, and how soon it looks again for one that it has not.
_FRESH_FOR = timedelta(seconds=60)
_LOOK_AGAIN_AFTER = timedelta(seconds=5)
_GO_ON_FOR = timedelta(minutes=15)


class KeyRing:
    """Hands out signing keys without asking the database each time. One per process.

    Keys change a few times a year and are read with every request. A token of an unknown key makes the ring look
    again, but not more often than every few seconds: strangers cannot make it ask. While the database does not answer,
    the ring goes on with the keys it has seen, for a quarter of an hour: whoever acts on a token asks the database as
    well, and is refused there; but a key that was revoked meanwhile must not be believed without end.
    """

    def __init__(self, unit_of_work: UnitOfWork, rotate: RotateSigningKey, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._rotate = rotate
        self._clock = clock
        self._keys: Mapping[KeyId, SigningKey] = {}
        self._loaded_at: datetime | None = None
        self._failed_at: datetime | None = None
        self._failure: Unavailable | None = None
        self._loading = asyncio.Lock()

    async def active(self) -> SigningKey:
        """The key that signs now. The first call of an installation makes it, and one after 90 days rotates it."""
        if self._older_than(_FRESH_FOR):
            await self._load_if_older_than(_FRESH_FOR)
        active = self._find_active()
        if active is None or self._rotate.is_due(active):
            active = await self._renew()
        return active

    async def believed(self) -> Sequence[SigningKey]:
        """Every key whose tokens are believed, oldest first."""
        await self.active()
        return [key for key in self._keys.values() if key.verifies]

    async def find(self, key_id: KeyId) -> SigningKey | None:
        """The key with this id, if tokens that it signed are still believed."""
        wanted_age = _FRESH_FOR if key_id in self._keys else _LOOK_AGAIN_AFTER
        if self._older_than(wanted_age):
            await self._load_if_older_than(wanted_age)
        key = self._keys.get(key_id)
        return key if key is not None and key.verifies else None

    def _older_than(self, age: timedelta) -> bool:
        if self._loaded_at is None:
            return True
        return self._clock.now() - self._loaded_at >= age and not (self._has_just_failed() and self._may_go_on())

    def _has_just_failed(self) -> bool:
        return self._failed_at is not None and self._clock.now() - self._failed_at < _LOOK_AGAIN_AFTER

    def _may_go_on(self) -> bool:
        """Whether the keys that were seen last may be believed while they cannot be read."""
        return self._loaded_at is not None and self._clock.now() - self._loaded_at < _GO_ON_FOR

    def _find_active(self) -> SigningKey | None:
        return next((key for key in self._keys.values() if key.state is KeyState.ACTIVE), None)

    async def _load_if_older_than(self, age: timedelta) -> None:
        # Of many that wait here, the first one loads for all.
        async with self._loading:
            if self._older_than(age):
                if self._failure is not None and self._has_just_failed():
                    # Or each of those who wait here would wait for it anew.
                    raise self._failure
                try:
                    await self._load()
                except Unavailable as failure:
                    self._failed_at, self._failure = self._clock.now(), failure
                    if not self._may_go_on():
                        raise

    async def _load(self) -> None:
        async with self._unit_of_work.read() as tx:
            self._keys = {key.id: key for key in await tx.signing_keys.all()}
        self._loaded_at = self._clock.now()

    async def _renew(self) -> SigningKey:
        async with self._loading:
            active = self._find_active()
            if active is not None and not self._rotate.is_due(active):
                return active  # somebody else who waited here has seen to it
            # Another process may be faster; its key is as good.
            with suppress(Conflict):
                await (self._rotate.replenish() if active is None else self._rotate.execute(if_due=True))
            await self._load()
        active = self._find_active()
        if active is None:
            message = "an active signing key was refused as a second one, and there is no first"
            raise RuntimeError(message)
        return active
