"""Argon2id, off the event loop and in bounds; and hashes of other systems, until their owners have signed in once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import argon2
import structlog
from argon2.exceptions import HashingError, InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import error_to_str

from adapters.crypto.foreign_hashes.known_hash import KnownHash
from adapters.crypto.foreign_hashes.limits import LARGE_MEMORY
from adapters.crypto.foreign_hashes.recognition import read
from adapters.crypto.hashing_threads import MILLISECONDS_A_PLACE, HashingThreads, Reservation
from adapters.crypto.sealed_hashes import open_hash, seal_hash
from adapters.crypto.sealing import Sealer
from application.ports.password_hasher import PasswordHasher, PlaceInQueue
from application.ports.password_transfer import UnusableHash
from domain.ids import UserId
from domain.users.password import Password, PasswordHash

_log = structlog.get_logger(__name__)

_HASH_BYTES = 32
_SALT_BYTES = 16
_NO_MEMORY = error_to_str(-22)  # ARGON2_MEMORY_ALLOCATION_ERROR in argon2.h; that is all it tells by


class Argon2PasswordHasher:
    """`PasswordHasher` with Argon2id; the hash is sealed, so that a copy of the database alone cannot be guessed at.

    One lane (p=1): a server has other sign-ins to spend its other cores on. `on_idle` is called, in a thread, once
    nothing has been hashed for a second.
    """

    def __init__(
        self,
        sealer: Sealer,
        *,
        memory_kib: int = 19_456,
        iterations: int = 2,
        on_idle: Callable[[], object] = lambda: None,
    ) -> None:
        self._sealer = sealer
        self._argon2 = argon2.PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=1, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
        )
        self._dummy = self._argon2.hash(b"nobody has this password")
        self.threads = HashingThreads(on_idle=on_idle)

    @asynccontextmanager
    async def reserve(self) -> AsyncIterator[PlaceInQueue]:
        with self.threads.reserve() as reservation:
            yield _Place(self, reservation)

    async def hash(self, password: Password, *, owner: UserId) -> PasswordHash:
        text = await self.threads.run(lambda: self._hash(password))
        return seal_hash(text, owner=owner, sealer=self._sealer)

    async def matches(
        self, password: Password, hashed: PasswordHash | None, *, reservation: Reservation | None = None
    ) -> bool:
        text = open_hash(hashed, sealer=self._sealer) if hashed is not None else None
        if text is not None and not self._is_outdated(text):
            return await self.threads.run(lambda: self._verify(text, password), reservation=reservation)
        other = _other(text) if text is not None else None
        if other is not None:
            return await self.threads.run(
                lambda: self._matches_other(other, password),
                places=1 + other.cost.milliseconds // MILLISECONDS_A_PLACE,
                large=other.cost.memory > LARGE_MEMORY,
                reservation=reservation,
            )
        # Without a hash, the same work on one that nothing matches.
        await self.threads.run(lambda: self._verify(self._dummy, password), reservation=reservation)
        return False

    def needs_rehash(self, hashed: PasswordHash) -> bool:
        text = open_hash(hashed, sealer=self._sealer)
        return text is not None and self._is_outdated(text)

    def close(self) -> None:
        """Let the threads go. What is still queued is dropped."""
        self.threads.close()

    def _is_outdated(self, text: str) -> bool:
        """Whether it is Argon2id of other parameters than today's, or something else altogether."""
        try:
            return self._argon2.check_needs_rehash(text)
        except InvalidHashError:
            return True

    def _matches_other(self, other: KnownHash, password: Password) -> bool:
        """Check it, and do the work that a stranger's password takes: a fast hash must not tell who has one (LG-02)."""
        self._verify(self._dummy, password)
        return other.matches(_as_bytes(password))

    def _hash(self, password: Password) -> str:
        try:
            return self._argon2.hash(_as_bytes(password))
        except HashingError as failed:
            # Of our parameters it only fails for that.
            raise MemoryError from failed

    def _verify(self, encoded: str, password: Password) -> bool:
        try:
            return self._argon2.verify(encoded, _as_bytes(password))
        except (VerifyMismatchError, InvalidHashError):
            return False
        except VerificationError as failed:
            # For want of memory nothing was compared: nobody may be told that their password is wrong.
            if str(failed) == _NO_MEMORY:
                raise MemoryError from failed
            return False


class _Place:
    """`PlaceInQueue` of a hasher."""

    def __init__(self, hasher: Argon2PasswordHasher, reservation: Reservation) -> None:
        self._hasher = hasher
        self._reservation = reservation

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self._hasher.threads.at_work:
            yield

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        return await self._hasher.matches(password, hashed, reservation=self._reservation)


def _other(text: str) -> KnownHash | None:
    try:
        return read(text)
    except UnusableHash as problem:
        # It was read when it was taken in, and sealed since.
        _log.error("password_hash.unreadable", code=problem.code)
        return None


def _as_bytes(password: Password) -> bytes:
    # Lone surrogates never get this far by HTTP; from elsewhere they match nothing, rather than raise.
    return password.text.encode(errors="surrogatepass")


def _is_password_hasher(hasher: Argon2PasswordHasher) -> PasswordHasher:
    return hasher
