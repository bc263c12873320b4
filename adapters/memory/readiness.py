"""Always ready."""

from collections.abc import Sequence

from application.ports.readiness import Readiness


class MemoryReadiness:
    """`Readiness` of what cannot be absent."""

    async def problems(self) -> Sequence[str]:
        return ()


def _is_readiness(memory: MemoryReadiness) -> Readiness:
    return memory
