"""How the C library allocates."""

import ctypes
import sys

_M_ARENA_MAX = -8  # glibc, malloc.h


def share_one_heap() -> None:
    """Let all threads allocate from one heap.

    By default glibc gives each thread a heap of its own, and each keeps the 20 MB of its last password hash for the
    next one. From one heap they go back to the system when nobody is signing in. Does nothing on other C
    libraries.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
