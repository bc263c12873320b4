"""The proof of the audit log in memory."""

from collections.abc import Sequence

from adapters.memory.store import Block, State
from domain.audit.audit_entry import AuditEntry
from domain.audit.chain import Link, SealedEntry
from domain.audit.checkpoint import Checkpoint

_SEALING = "the end of the chain"


class MemoryAuditChain:
    """`AuditChain` on a block."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def lock(self) -> Link | None:
        await self._block.lock(_SEALING)
        return max(self._block.state().audit_chain.values(), key=lambda link: link.position, default=None)

    async def unsealed(self, *, limit: int) -> Sequence[AuditEntry]:
        state = self._block.state()
        return [entry for entry in state.audit_entries if entry.sequence not in state.audit_chain][:limit]

    async def add(self, sealed: Sequence[SealedEntry]) -> None:
        def write(state: State) -> None:
            state.audit_chain |= {one.entry.sequence: one.link for one in sealed}

        await self._block.write(write)

    async def sealed(self, *, after: int, limit: int) -> Sequence[SealedEntry | Link]:
        state = self._block.state()
        entries = {entry.sequence: entry for entry in state.audit_entries}
        links = sorted(
            (link for link in state.audit_chain.values() if link.position > after), key=lambda link: link.position
        )
        return [
            SealedEntry(entry=entries[link.sequence], position=link.position, chain_hash=link.chain_hash)
            for link in links[:limit]
        ]

    async def count_unsealed(self) -> int:
        state = self._block.state()
        return len(state.audit_entries) - len(state.audit_chain)

    async def kept_out(self, *, after: int | None, up_to: int | None) -> int | None:  # noqa: ARG002
        # Nobody but us writes here.
        return None

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        def write(state: State) -> None:
            state.audit_checkpoints.setdefault(checkpoint.claims.position, checkpoint)

        await self._block.write(write)

    async def checkpoints(self, *, before: int | None = None, limit: int | None = None) -> Sequence[Checkpoint]:
        kept = sorted(self._block.state().audit_checkpoints.items(), reverse=True)
        return [checkpoint for position, checkpoint in kept if before is None or position < before][:limit]
