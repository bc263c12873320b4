"""Threads for hashing."""

import os
import sys
import threading

import pytest

from adapters.crypto.hashing_threads import HashingThreads


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
