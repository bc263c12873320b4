"""Processes that share signing keys."""

import asyncio

from adapters.memory.clock import MemoryClock
from adapters.memory.token_signer import MemoryTokenSigner
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import UnitOfWork
from application.signing.key_ring import KeyRing
from application.signing.rotate_signing_key import RotateSigningKey
from domain.signing.signing_key import KeyState, SigningPolicy


async def test_twenty_processes_that_start_together_agree_on_one_key(uow: UnitOfWork) -> None:
    def ring() -> KeyRing:
        clock = MemoryClock()
        return KeyRing(
            uow, RotateSigningKey(uow, MemoryTokenSigner(), clock, SystemRandomness(), SigningPolicy()), clock
        )

    keys = await asyncio.gather(*(ring().active() for _ in range(20)))
    assert len({key.id for key in keys}) == 1
    async with uow.read() as tx:
        states = [key.state for key in await tx.signing_keys.all()]
    assert sorted(states) == [KeyState.ACTIVE, KeyState.NEXT]
