"""What a sealer of secrets promises."""

from collections.abc import Callable

import pytest

from adapters.crypto.sealing import Sealer
from adapters.crypto.secret_sealer import AesSecretSealer
from adapters.memory.secret_sealer import MemorySecretSealer
from application.ports.secret_sealer import SecretSealer

TEXT = '{"link": "https://accounts.example.com/verify-email#hp_ev_…"}'

SEALERS: dict[str, Callable[[str], SecretSealer]] = {
    "memory": MemorySecretSealer,
    "aes": lambda root: AesSecretSealer(Sealer(root.encode())),
}


@pytest.fixture(params=SEALERS)
def under(request: pytest.FixtureRequest) -> Callable[[str], SecretSealer]:
    """The sealer under a root key."""
    return SEALERS[request.param]


@pytest.mark.parametrize("text", [TEXT, "", "a:b:c", "Grüße 🗝\n\x00"])
def test_what_was_sealed_opens_for_the_same_purpose_and_owner(under: Callable[[str], SecretSealer], text: str) -> None:
    sealed = under("root").seal(text, purpose="content", owner="0192f1c4")
    assert under("root").open(sealed, purpose="content", owner="0192f1c4") == text


def test_what_was_sealed_opens_for_nothing_and_nobody_else(under: Callable[[str], SecretSealer]) -> None:
    """SK-02, SK-04, incident 44."""
    sealer = under("root")
    sealed = sealer.seal(TEXT, purpose="content", owner="0192f1c4")
    assert sealer.open(sealed, purpose="contents", owner="0192f1c4") is None
    assert sealer.open(sealed, purpose="", owner="0192f1c4") is None
    assert sealer.open(sealed, purpose="content", owner="0192f1c5") is None
    assert sealer.open(sealed, purpose="content", owner="0192f1c") is None
    assert sealer.open(sealed, purpose="0192f1c4", owner="content") is None


def test_what_was_sealed_does_not_open_under_another_root(under: Callable[[str], SecretSealer]) -> None:
    """Fault 28."""
    sealed = under("root").seal(TEXT, purpose="content", owner="0192f1c4")
    assert under("other").open(sealed, purpose="content", owner="0192f1c4") is None


@pytest.mark.parametrize("text", ["", "x", "v1.", "v1.00000000.", "é", TEXT])
def test_what_was_never_sealed_does_not_open(under: Callable[[str], SecretSealer], text: str) -> None:
    assert under("root").open(text, purpose="content", owner="0192f1c4") is None


def test_the_same_text_is_never_sealed_alike(under: Callable[[str], SecretSealer]) -> None:
    sealer = under("root")
    sealed = [sealer.seal(TEXT, purpose="content", owner="0192f1c4") for _ in range(10)]
    assert len(set(sealed)) == 10
    assert {sealer.open(one, purpose="content", owner="0192f1c4") for one in sealed} == {TEXT}


def test_what_is_at_rest_shows_nothing_of_it_and_cannot_be_changed() -> None:
    """SK-04, fault 28."""
    sealer = AesSecretSealer(Sealer(b"root"))
    # So long that every bit of the base64 counts.
    sealed = sealer.seal("a secret without any padding.", purpose="content", owner="0192f1c4")
    for word in ("secret", "content", "0192f1c4"):
        assert word not in sealed
    for position in range(len(sealed)):
        other = "A" if sealed[position] != "A" else "B"
        changed = sealed[:position] + other + sealed[position + 1 :]
        assert sealer.open(changed, purpose="content", owner="0192f1c4") is None
