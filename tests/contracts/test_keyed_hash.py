"""What a keyed hash promises."""

from collections.abc import Callable

import pytest

from adapters.crypto.keyed_hash import HmacKeyedHash
from adapters.crypto.sealing import derived
from adapters.memory.keyed_hash import MemoryKeyedHash
from application.ports.keyed_hash import KeyedHash

HASHES: dict[str, Callable[[str], KeyedHash]] = {
    "memory": MemoryKeyedHash,
    "hmac": lambda root: HmacKeyedHash(root.encode()),
}


@pytest.fixture(params=HASHES)
def under(request: pytest.FixtureRequest) -> Callable[[str], KeyedHash]:
    """The hash under a root key."""
    return HASHES[request.param]


@pytest.mark.parametrize("text", ["", "2026-01-31T12+0000\n192.0.2.7\ncredentials", "é\0"])
def test_the_same_is_always_named_alike(under: Callable[[str], KeyedHash], text: str) -> None:
    digests = {under("root").digest(text, purpose="reference") for _ in range(3)}
    assert [len(digest) for digest in digests] == [32]


def test_another_text_purpose_or_root_key_makes_another_name(under: Callable[[str], KeyedHash]) -> None:
    """SK-02."""
    named = [
        under(root).digest(text, purpose=purpose)
        for root in ("root", "other")
        for text in ("a", "b", "")
        for purpose in ("a", "b", "")
    ]
    assert len(set(named)) == len(named)


def test_the_key_is_none_that_seals() -> None:
    hashes = HmacKeyedHash(b"root")
    assert derived(b"root", "hallporter hash: p", 32) != derived(b"root", "hallporter seal: p", 32)
    assert hashes.digest("text", purpose="p") != hashes.digest("text", purpose="q")
