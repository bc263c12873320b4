"""Threads for hashing."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.crypto.hashing_threads import HashingThreads
from application.ports.password_hasher import HashingBusy


def priority() -> int:
    """How much this thread lets others go first."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has a priority for each thread")
@pytest.mark.parametrize("large", [False, True])
async def test_whoever_hashes_lets_those_go_first_who_answer(*, large: bool) -> None:
    threads, own = HashingThreads(on_idle=lambda: None), priority()
    try:
        assert await threads.run(priority, large=large) == min(own + 10, 19)
    finally:
        threads.close()
    assert priority() == own


async def test_fault_33_work_without_memory_is_refused_and_counted_and_leaves_its_place() -> None:
    threads = HashingThreads(on_idle=lambda: None)

    def too_large() -> None:
        raise MemoryError

    # More often than there are places.
    for _ in range(3):
        with pytest.raises(HashingBusy):
            await threads.run(too_large, places=10**6)
    assert await threads.run(lambda: "done", places=10**6) == "done"
    threads.close()
    assert (threads.refused, threads.running, threads.waiting) == (3, 0, 0)


async def test_fault_33_work_for_which_no_thread_can_start_is_refused_and_leaves_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = HashingThreads(on_idle=lambda: None)

    def cannot_start(*_: object) -> None:
        # In Python's own words.
        message = "can't start new thread"
        raise RuntimeError(message)

    with monkeypatch.context() as short:
        short.setattr(ThreadPoolExecutor, "submit", cannot_start)
        for _ in range(3):
            with pytest.raises(HashingBusy):
                await threads.run(lambda: "never", places=10**6)
    assert (threads.refused, threads.running, threads.waiting) == (3, 0, 0)
    assert await threads.run(lambda: "done", places=10**6) == "done"
    threads.close()
