"""Hashes that only we can make."""

import hmac

from adapters.crypto.sealing import derived
from application.ports.keyed_hash import KeyedHash

_KEY_BYTES = 32


class HmacKeyedHash:
    """`KeyedHash` with HMAC-SHA-256, under a key for each purpose that is derived from the root key (SK-02)."""

    def __init__(self, root_key: bytes) -> None:
        self._root_key = root_key
        self._keys: dict[str, bytes] = {}

    def digest(self, text: str, *, purpose: str) -> bytes:
        if purpose not in self._keys:
            self._keys[purpose] = derived(self._root_key, f"hallporter hash: {purpose}", _KEY_BYTES)
        return hmac.digest(self._keys[purpose], text.encode(), "sha256")


def _is_keyed_hash(hashes: HmacKeyedHash) -> KeyedHash:
    return hashes
