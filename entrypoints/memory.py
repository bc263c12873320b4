"""How much memory the process keeps."""

import ctypes
import sys

_M_ARENA_MAX = -8  # glibc, malloc.h


def give_freed_memory_back() -> None:
    """Let all threads share one heap.

    By default glibc gives each thread a heap of its own, and each keeps the 20 MB of its last password hash for the
    next one. From one heap they go back to the system when nobody is signing in. Costs hashing a few percent; does
    nothing on other C libraries.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
