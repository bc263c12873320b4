"""Argon2id, off the event loop and in bounds."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import argon2
import structlog
from argon2.exceptions import InvalidHashError, VerificationError

from adapters.crypto.sealing import SealBroken, Sealer
from application.ports.password_hasher import HashingBusy, PasswordHasher
from domain.ids import UserId
from domain.users.password import Password, PasswordHash

_log = structlog.get_logger(__name__)

_PURPOSE = "password hash"
_HASH_BYTES = 32
_SALT_BYTES = 16
# For each core: at 20 milliseconds a hash, whoever comes in last waits for about a second.
_LONGEST_QUEUE = 64
_IDLE_SECONDS = 1.0


class Argon2PasswordHasher:
    """`PasswordHasher` with Argon2id; the hash is sealed, so that a copy of the database alone cannot be guessed at.

    One lane (p=1): a server has other sign-ins to spend its other cores on. As many threads as cores, since more
    would only share them, and a limited queue in front: beyond it the answer is HashingBusy at once. `on_idle` is
    called, in a thread, once nothing has been hashed for a second.
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
        self._on_idle = on_idle
        self._idle_timer: asyncio.TimerHandle | None = None
        self._argon2 = argon2.PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=1, hash_len=_HASH_BYTES, salt_len=_SALT_BYTES
        )
        self._dummy = self._argon2.hash(b"nobody has this password")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="argon2")
        self._places = threading.BoundedSemaphore(_LONGEST_QUEUE * cores)

    async def hash(self, password: Password, *, owner: UserId) -> PasswordHash:
        encoded = await self._in_thread(lambda: self._argon2.hash(_as_bytes(password)))
        return PasswordHash(
            owner=owner, encoded=self._sealer.seal(encoded.encode(), purpose=_PURPOSE, owner=str(owner))
        )

    async def matches(self, password: Password, hashed: PasswordHash | None) -> bool:
        encoded = self._opened(hashed) if hashed is not None else None
        # Without a hash, the same work on one that nothing matches.
        matched = await self._in_thread(lambda: self._verify(encoded or self._dummy, password))
        return matched and encoded is not None

    def needs_rehash(self, hashed: PasswordHash) -> bool:
        encoded = self._opened(hashed)
        return encoded is not None and self._argon2.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let the threads go. What is still queued is dropped."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        job = self._threads.submit(work)
        # On the job and not here: a caller who goes away leaves the job in its place.
        job.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wrap_future(job)
        finally:
            self._wait_for_idleness()

    def _wait_for_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._threads.submit, self._on_idle)

    def _verify(self, encoded: str, password: Password) -> bool:
        try:
            return self._argon2.verify(encoded, _as_bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    def _opened(self, hashed: PasswordHash) -> str | None:
        try:
            return self._sealer.open(hashed.encoded, purpose=_PURPOSE, owner=str(hashed.owner)).decode()
        except SealBroken:
            # One damaged row shuts one door; the operator must hear of it.
            _log.error("password_hash.unreadable", user_id=str(hashed.owner))
            return None


def _as_bytes(password: Password) -> bytes:
    # Lone surrogates never get this far by HTTP; from elsewhere they match nothing, rather than raise.
    return password.text.encode(errors="surrogatepass")


def _is_password_hasher(hasher: Argon2PasswordHasher) -> PasswordHasher:
    return hasher
