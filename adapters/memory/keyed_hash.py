"""Keyed hashes without a key."""

import hashlib

from application.ports.keyed_hash import KeyedHash


class MemoryKeyedHash:
    """`KeyedHash` for tests. `root` stands for the root key."""

    def __init__(self, root: str = "root") -> None:
        self._root = root

    def digest(self, text: str, *, purpose: str) -> bytes:
        return hashlib.sha256(repr((self._root, purpose, text)).encode()).digest()


def _is_keyed_hash(memory: MemoryKeyedHash) -> KeyedHash:
    return memory
