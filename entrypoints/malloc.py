"""How memory is come by, and given back."""

import ctypes
import gc
import sys

_M_ARENA_MAX = -8  # glibc, malloc.h
_MANY_OBJECTS = 200_000


def seldom_look_for_cycles() -> None:
    """Let a process that makes millions of objects, and drops each as it goes, spend its time otherwise.

    Python looks through all of them for cycles again and again, which takes a sixth of an import. It still does, once
    there are far more than an import has at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS)


def give_back_free_memory() -> None:
    """Let the system have what is free in the heap.

    By itself the C library gives back what lies at the heap's end alone, and keeps the 20 MB of a password hash above
    which something small has come to lie. Takes milliseconds. Does nothing on other C libraries.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


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
