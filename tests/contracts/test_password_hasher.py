"""What a password hasher promises."""

import asyncio
import os
import threading
from contextlib import AsyncExitStack, suppress

import argon2
import pytest

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.crypto.sealing import Sealer
from adapters.memory.password_hasher import MemoryPasswordHasher
from application.ports.password_hasher import HashingBusy, PasswordHasher, PlaceInQueue
from domain.users.password import Password, PasswordHash
from tests.world import new_user

OWNER, OTHER = new_user().id, new_user().id
PASSWORD = Password("a quiet harbour at dawn")


def cheap(root_key: bytes = b"r" * 32, *, memory_kib: int = 8) -> Argon2PasswordHasher:
    return Argon2PasswordHasher(Sealer(root_key), memory_kib=memory_kib, iterations=1)


@pytest.fixture(params=["memory", "argon2"])
def hasher(request: pytest.FixtureRequest) -> PasswordHasher:
    return MemoryPasswordHasher() if request.param == "memory" else cheap()


async def test_a_password_matches_its_hash_and_no_other(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash(PASSWORD, owner=OWNER)
    assert await hasher.matches(PASSWORD, hashed)
    assert not await hasher.matches(Password("a quiet harbour at dusk"), hashed)
    assert not await hasher.matches(Password(""), hashed)


async def test_the_same_password_twice_gives_two_hashes(hasher: PasswordHasher) -> None:
    """PW-06."""
    assert await hasher.hash(PASSWORD, owner=OWNER) != await hasher.hash(PASSWORD, owner=OWNER)


async def test_without_a_hash_nothing_matches(hasher: PasswordHasher) -> None:
    """Incident 49: who has no password does not have the empty one."""
    for password in (PASSWORD, Password(""), Password("nobody has this password")):
        assert not await hasher.matches(password, None)


async def test_a_hash_does_not_match_for_another_owner(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash(PASSWORD, owner=OWNER)
    assert not await hasher.matches(PASSWORD, PasswordHash(owner=OTHER, encoded=hashed.encoded))


async def test_a_fresh_hash_needs_no_rehash(hasher: PasswordHasher) -> None:
    assert not hasher.needs_rehash(await hasher.hash(PASSWORD, owner=OWNER))


async def test_pw_01_passwords_that_differ_at_their_end_are_different(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash(Password("x" * 255 + "a"), owner=OWNER)
    assert not await hasher.matches(Password("x" * 255 + "b"), hashed)


async def test_lone_surrogates_match_nothing_and_raise_nothing(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash(PASSWORD, owner=OWNER)
    assert not await hasher.matches(Password("\ud800"), hashed)


async def test_pw_07_other_parameters_need_a_rehash() -> None:
    memory = MemoryPasswordHasher(generation=1)
    hashed = await memory.hash(PASSWORD, owner=OWNER)
    memory.generation = 2
    assert memory.needs_rehash(hashed)
    assert await memory.matches(PASSWORD, hashed)

    hashed = await cheap().hash(PASSWORD, owner=OWNER)
    stronger = cheap(memory_kib=16)
    assert stronger.needs_rehash(hashed)
    assert await stronger.matches(PASSWORD, hashed)


async def test_pw_06_the_hash_is_argon2id_by_default_at_owasps_minimum_and_sealed() -> None:
    sealer = Sealer(b"r" * 32)
    hashed = await Argon2PasswordHasher(sealer).hash(PASSWORD, owner=OWNER)
    assert "argon2" not in hashed.encoded
    inside = sealer.open(hashed.encoded, purpose="password hash", owner=str(OWNER)).decode()
    parameters = argon2.extract_parameters(inside)
    assert parameters.type is argon2.Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


async def test_pw_06_another_root_key_opens_nothing() -> None:
    hashed = await cheap().hash(PASSWORD, owner=OWNER)
    other = cheap(b"o" * 32)
    assert not await other.matches(PASSWORD, hashed)
    assert not other.needs_rehash(hashed)


async def test_pw_09_a_full_queue_is_said_to_be_full_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = cheap()
    held, places = threading.Event(), 0

    def wait(encoded: str, password: Password) -> bool:
        return held.wait(10)

    monkeypatch.setattr(hasher, "_verify", wait)
    waiting = []
    try:
        while True:
            attempt = asyncio.ensure_future(hasher.matches(PASSWORD, None))
            await asyncio.sleep(0)
            if attempt.done():
                break
            waiting.append(attempt)
            places += 1
        with pytest.raises(HashingBusy) as busy:
            await attempt
        assert busy.value.retry_after.total_seconds() == 1
        # One who gives up does not free a place that is still being worked on, but the queue moves on in the end.
        waiting[0].cancel()
    finally:
        held.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert places >= 64
    assert not await hasher.matches(PASSWORD, None)
    hasher.close()


async def test_pw_09_a_place_that_was_reserved_is_had_and_given_back_whichever_way_its_holder_leaves() -> None:
    hasher = cheap()
    mine = await hasher.hash(PASSWORD, owner=OWNER)

    async def all_places(stack: AsyncExitStack) -> list[PlaceInQueue]:
        places = []
        with suppress(HashingBusy):
            while True:
                places.append(await stack.enter_async_context(hasher.reserve()))
        return places

    async with AsyncExitStack() as stack:
        places = await all_places(stack)
        with pytest.raises(HashingBusy):
            await hasher.matches(PASSWORD, mine)
        # Whoever has a place needs no other one; it is used once.
        assert await places[0].matches(PASSWORD, mine)
        assert not await places[1].matches(Password("another password"), mine)

    async def leave(way: type[BaseException]) -> None:
        async with hasher.reserve():
            raise way

    for way in (ValueError, asyncio.CancelledError):
        with pytest.raises(way):
            await leave(way)
    async with AsyncExitStack() as stack:
        assert len(await all_places(stack)) == len(places) >= 64
    hasher.close()


async def test_pw_09_few_of_those_who_have_a_place_go_on_at_once() -> None:
    hasher = cheap()
    gone_on, may_leave = 0, asyncio.Event()

    async def come() -> None:
        nonlocal gone_on
        async with hasher.reserve() as place, place.turn():
            gone_on += 1
            await may_leave.wait()

    crowd = [asyncio.ensure_future(come()) for _ in range(60)]
    # As often as it takes anybody to get as far as they can.
    for _ in range(10):
        await asyncio.sleep(0)
    few = gone_on
    # Whoever goes away while they wait leaves no gap.
    crowd[-1].cancel()
    may_leave.set()
    await asyncio.gather(*crowd, return_exceptions=True)
    assert (few, gone_on) == (4 * len(os.sched_getaffinity(0)), 59)
    hasher.close()


async def test_lg_02_nobodys_password_costs_one_verification_at_the_present_parameters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher = cheap(memory_kib=16)
    verified: list[argon2.Parameters] = []
    verify = hasher._verify  # noqa: SLF001  (what costs the time)

    def counted(encoded: str, password: Password) -> bool:
        verified.append(argon2.extract_parameters(encoded))
        return verify(encoded, password)

    monkeypatch.setattr(hasher, "_verify", counted)
    await hasher.matches(PASSWORD, None)
    await hasher.matches(PASSWORD, await hasher.hash(Password("another password"), owner=OWNER))
    nobodys, somebodys = verified
    assert nobodys == somebodys
    hasher.close()
