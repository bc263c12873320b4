"""The hasher checks hashes of other systems, within the same bounds as its own."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from adapters.crypto import argon2_hasher
from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.foreign_hashes.known_hash import Cost
from adapters.crypto.foreign_hashes.limits import LARGE_MEMORY
from adapters.crypto.hashing_threads import HashingThreads
from adapters.crypto.password_transfer import SealingPasswordTransfer
from adapters.crypto.sealed_hashes import seal_hash
from adapters.crypto.sealing import Sealer
from application.ports.password_hasher import HashingBusy
from application.ports.password_transfer import ForeignHash
from domain.users.password import Password, PasswordHash
from tests.little_memory import little_memory
from tests.world import new_user

OWNER = new_user().id
SEALER = Sealer(b"r" * 32)
PASSWORD = Password("a quiet harbour at dawn")
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text())
ONE_OF_EACH: dict[str, dict[str, Any]] = {
    vector["format"]: vector for vectors in VECTORS.values() for vector in vectors
}


@pytest.fixture
def hasher() -> Iterator[Argon2PasswordHasher]:
    hasher = Argon2PasswordHasher(SEALER, memory_kib=8, iterations=1)
    yield hasher
    hasher.close()


def taken_in(written: Any) -> PasswordHash:
    transfer = SealingPasswordTransfer(SEALER)
    return transfer.take_in(transfer.recognise(written), owner=OWNER)


@dataclass
class Held:
    """A hash whose check lasts until it is let go."""

    cost: Cost
    format: str = "held"
    encoded: str = "held"
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most_at_once: int = 0

    def matches(self, _password: bytes) -> bool:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        self.started.release()
        self.go_on.wait(10)
        self.at_once -= 1
        return True

    async def has_started(self) -> None:
        assert await asyncio.to_thread(self.started.acquire, timeout=10)

    def taken_in(self, monkeypatch: pytest.MonkeyPatch) -> PasswordHash:
        monkeypatch.setattr(argon2_hasher, "read", lambda _: self)
        return SealingPasswordTransfer(SEALER).take_in(ForeignHash(format="held", encoded="held"), owner=OWNER)


@pytest.mark.parametrize("vector", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
async def test_a_password_of_every_format_comes_in_and_is_replaced(
    hasher: Argon2PasswordHasher, vector: dict[str, Any]
) -> None:
    kept = taken_in(vector["hash"])
    assert await hasher.matches(Password(vector["password"]), kept)
    assert not await hasher.matches(PASSWORD, kept) or vector["password"] == PASSWORD.text
    assert hasher.needs_rehash(kept)


async def test_argon2id_of_todays_parameters_is_as_good_as_one_of_ours(hasher: Argon2PasswordHasher) -> None:
    elsewhere = Argon2PasswordHasher(Sealer(b"e" * 32), memory_kib=8, iterations=1)
    written = SealingPasswordTransfer(Sealer(b"e" * 32)).hand_out(await elsewhere.hash(PASSWORD, owner=OWNER))
    kept = taken_in(written)
    assert await hasher.matches(PASSWORD, kept)
    assert not hasher.needs_rehash(kept)
    elsewhere.close()


async def test_lg_02_a_fast_hash_costs_what_a_stranger_does_and_more(
    hasher: Argon2PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = hasher._verify  # noqa: SLF001  (what costs the time)

    def counted(encoded: str, password: Password) -> bool:
        verified.append(encoded)
        return verify(encoded, password)

    monkeypatch.setattr(hasher, "_verify", counted)
    assert not await hasher.matches(PASSWORD, None)
    assert not await hasher.matches(PASSWORD, taken_in({"format": "md5", "hash": "00" * 16}))
    assert not await hasher.matches(PASSWORD, seal_hash("$nonsense", owner=OWNER, sealer=SEALER))
    assert len(verified) == 3
    assert len(set(verified)) == 1


async def test_a_hash_that_nobody_can_read_matches_nothing_and_is_no_error(hasher: Argon2PasswordHasher) -> None:
    kept = seal_hash("$nonsense", owner=OWNER, sealer=SEALER)
    assert not await hasher.matches(PASSWORD, kept)
    assert not await hasher.matches(Password("$nonsense"), kept)


async def test_hashes_of_much_memory_are_checked_one_at_a_time_and_keep_nobody_else_waiting(
    hasher: Argon2PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(Cost(memory=LARGE_MEMORY + 1, milliseconds=0))
    kept = held.taken_in(monkeypatch)
    large = [asyncio.ensure_future(hasher.matches(PASSWORD, kept)) for _ in range(4)]
    await held.has_started()
    # One of them is being checked; were the others in the same threads as everybody, this would have to wait.
    assert not await hasher.matches(PASSWORD, None)
    held.go_on.set()
    assert all(await asyncio.gather(*large))
    assert held.most_at_once == 1


# More than malloc ever keeps for the next one (64 MiB), so that the system has to be asked for it.
LARGE = {
    "ours": None,
    "argon2": "$argon2i$v=19$m=65536,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    "scrypt": "$scrypt$ln=16,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
}


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone bounds the memory of a process that runs")
@pytest.mark.parametrize("written", LARGE.values(), ids=LARGE.keys())
async def test_fault_33_without_memory_no_password_is_called_wrong(written: str | None) -> None:
    hasher = Argon2PasswordHasher(SEALER, memory_kib=65_536 if written is None else 8, iterations=1)
    kept = taken_in(written) if written is not None else await hasher.hash(PASSWORD, owner=OWNER)
    # Threads that are there by then.
    is_right = await hasher.matches(PASSWORD, kept)
    with little_memory(psutil.Process()):
        with pytest.raises(HashingBusy):
            await hasher.matches(PASSWORD, kept)
        if written is None:
            with pytest.raises(HashingBusy):
                await hasher.hash(PASSWORD, owner=OWNER)
    assert await hasher.matches(PASSWORD, kept) == is_right == (written is None)
    hasher.close()


async def test_pw_09_the_queue_is_as_much_shorter_as_a_hash_takes_longer(
    hasher: Argon2PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(Cost(memory=0, milliseconds=2_500))
    kept = held.taken_in(monkeypatch)
    attempts = [asyncio.ensure_future(hasher.matches(PASSWORD, kept)) for _ in range(40)]
    await asyncio.sleep(0)
    refused = [attempt for attempt in attempts if attempt.done()]
    held.go_on.set()
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    # Of our own, each core would take 64.
    assert 0 < len(refused) <= 38
    assert sum(isinstance(outcome, HashingBusy) for outcome in outcomes) == len(refused)
    assert outcomes.count(True) == 40 - len(refused)


async def test_pw_09_whoever_wants_more_places_than_there_are_gets_half_of_them_and_gives_them_back() -> None:
    threads = HashingThreads(on_idle=lambda: None)
    go_on = threading.Event()
    both = [asyncio.ensure_future(threads.run(lambda: go_on.wait(10), places=1_000_000)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(HashingBusy):
        await threads.run(lambda: None)
    go_on.set()
    assert await asyncio.gather(*both) == [True, True]
    assert await threads.run(lambda: "free again", places=1_000_000) == "free again"
    threads.close()
