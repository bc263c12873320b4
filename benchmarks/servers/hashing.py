"""Nothing but Argon2id on every core: `python -m benchmarks.servers.hashing SECONDS`.

With the parameters and as many threads as `Argon2PasswordHasher` has by default. Writes how many hashes it made, in how
long, and what processor time they took.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import argon2

from benchmarks.machine import cores
from entrypoints.settings import Settings

_PASSWORD = b"a quiet harbour at dawn"


def _verified(hasher: argon2.PasswordHasher, known: str, until: float) -> int:
    number = 0
    while time.perf_counter() < until:
        hasher.verify(known, _PASSWORD)
        number += 1
    return number


def main() -> None:
    """Hash for so many seconds."""
    seconds = float(sys.argv[1])
    defaults = Settings.model_fields
    hasher = argon2.PasswordHasher(
        time_cost=defaults["password_hash_iterations"].default,
        memory_cost=defaults["password_hash_memory_kib"].default,
        parallelism=1,
    )
    known = hasher.hash(_PASSWORD)
    before, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(cores()) as threads:
        made = sum(threads.map(lambda _: _verified(hasher, known, began + seconds), range(cores())))
    figures = {"requests": made, "seconds": time.perf_counter() - began, "processor": time.process_time() - before}
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main()
