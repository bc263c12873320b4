"""Threads for hashing passwords, and a queue in front of them that ends."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Protocol

import structlog

from application.ports.password_hasher import HashingBusy

_log = structlog.get_logger(__name__)

MILLISECONDS_A_PLACE = 20
"""What an Argon2 hash of ours takes, by default, and so what one place in the queue stands for."""

# For each core: at 20 milliseconds a hash, whoever comes in last waits for about a second.
_LONGEST_QUEUE = 64
# For each core: one that hashes, and others on their way there or back. More would only get in each other's way.
_AT_WORK = 4
_IDLE_SECONDS = 1.0
_NICER = 10


class Watch(Protocol):
    """Looks on while a piece of work waits and is done."""

    def __call__[T](self, work: Callable[[], T], /) -> Callable[[], T]:
        """The same work, called when it is queued."""
        ...


class HashingThreads:
    """As many threads as cores, since more would only share them, and one more for what takes much memory.

    The queue is limited: beyond it the answer is HashingBusy at once, and one more is `refused`. Of those with a place
    few should be `at_work` beside it. `on_idle` is called, in a thread, once nothing has been hashed for a second.
    `watch`, where there is one, surrounds what is queued. Work for which there is not enough memory says so by
    MemoryError, and is refused as well.
    """

    refused = 0

    def __init__(self, *, on_idle: Callable[[], object]) -> None:
        self._on_idle = on_idle
        self.watch: Watch | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._cores = cores
        self._threads = ThreadPoolExecutor(
            max_workers=cores, thread_name_prefix="argon2", initializer=_let_others_go_first
        )
        # Started when it is first needed, like all of them. One at a time is the bound on their memory.
        self._large = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="large hash", initializer=_let_others_go_first
        )
        self._places = _Places(_LONGEST_QUEUE * cores)
        self.at_work = asyncio.Semaphore(_AT_WORK * cores)
        self._ordinary = _Present()
        self._large_ones = _Present()

    @property
    def running(self) -> int:
        """Pieces of work that are being done."""
        return min(self._ordinary.count, self._cores) + min(self._large_ones.count, 1)

    @property
    def waiting(self) -> int:
        """Pieces of work that wait for a thread."""
        return self._ordinary.count + self._large_ones.count - self.running

    @contextmanager
    def reserve(self) -> Iterator["Reservation"]:
        """A place for the block. Whoever works in it hands it on to the work.

        Raises: HashingBusy.
        """
        if not self._places.take(1):
            self.refused += 1
            raise HashingBusy
        reservation = Reservation()
        try:
            yield reservation
        finally:
            if reservation.use():
                self._places.give_back(1)

    async def run[T](
        self,
        work: Callable[[], T],
        *,
        places: int = 1,
        large: bool = False,
        reservation: "Reservation | None" = None,
    ) -> T:
        """What the work comes to. It takes so many places in the queue, or half of it if that is less.

        Raises: HashingBusy.
        """
        # Never more than half: what wanted all of it would find no gap in a queue that is merely in use.
        taken = min(places, self._places.all // 2)
        # Handed on only where there is room for the rest of it, too.
        reserved = 1 if reservation is not None and not reservation.is_used else 0
        if not self._places.take(taken - reserved):
            self.refused += 1
            raise HashingBusy
        if reservation is not None:
            reservation.use()
        present = self._large_ones if large else self._ordinary
        present.add(1)
        watched = work if self.watch is None else self.watch(work)

        def leave() -> None:
            present.add(-1)
            self._places.give_back(taken)

        try:
            job = (self._large if large else self._threads).submit(watched)
        except RuntimeError as failed:
            # No thread could be started. Whether another one does the work some time is all the same.
            leave()
            raise self._short_of_memory() from failed
        # On the job and not here: a caller who goes away leaves the job in its place.
        job.add_done_callback(lambda _: leave())
        try:
            return await asyncio.wrap_future(job)
        except MemoryError as failed:
            raise self._short_of_memory() from failed
        finally:
            self._wait_for_idleness()

    def close(self) -> None:
        """Let the threads go. What is still queued is dropped."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._large.shutdown(wait=True, cancel_futures=True)

    def _short_of_memory(self) -> HashingBusy:
        self.refused += 1
        _log.warning("hashing.short_of_memory")
        return HashingBusy()

    def _wait_for_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._threads.submit, self._on_idle)


def _let_others_go_first() -> None:
    """Have this thread run when whoever answers has nothing to do, and PostgreSQL neither: a hash takes long anyway.

    Linux alone has a priority for each thread (sched(7)); elsewhere it would be that of the process.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICER)


class _Present:
    """How many there are: they come in the event loop, and go in threads."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self.count += more


class Reservation:
    """One place that somebody has, until they use it."""

    def __init__(self) -> None:
        self.is_used = False

    def use(self) -> bool:
        """Use it up; False where it was before."""
        was_used, self.is_used = self.is_used, True
        return not was_used


class _Places:
    """A semaphore of which one can take several at once."""

    def __init__(self, places: int) -> None:
        self.all = places
        self._free = places
        # Given back by the threads.
        self._lock = threading.Lock()

    def take(self, places: int) -> bool:
        with self._lock:
            if places > self._free:
                return False
            self._free -= places
            return True

    def give_back(self, places: int) -> None:
        with self._lock:
            self._free += places
