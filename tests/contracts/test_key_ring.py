"""Processes that share signing keys."""

import asyncio

from adapters.memory.clock import MemoryClock
from adapters.memory.token_signer import MemoryTokenSigner
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import UnitOfWork
from application.signing.key_ring import KeyRing


async def test_twenty_processes_that_start_together_agree_on_one_key(uow: UnitOfWork) -> None:
    def ring() -> KeyRing:
        return KeyRing(uow, MemoryTokenSigner(), MemoryClock(), SystemRandomness())

    keys = await asyncio.gather(*(ring().active() for _ in range(20)))
    assert len({key.id for key in keys}) == 1
    async with uow.read() as tx:
        assert len(await tx.signing_keys.all()) == 1
