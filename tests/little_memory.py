"""A process that has as much memory as it uses now, and little more."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def little_memory(process: psutil.Process, *, spare: int = 8 * 1024 * 1024) -> Iterator[None]:
    """For the block, so many bytes of address space more. What is free within what it has is its own to use."""
    before = process.rlimit(psutil.RLIMIT_AS)
    process.rlimit(psutil.RLIMIT_AS, (process.memory_info().vms + spare, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_AS, before)
