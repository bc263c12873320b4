"""What passkeys were asked, in memory."""

from datetime import datetime
from uuid import UUID

from adapters.memory.store import Block, State, expect_free
from domain.ids import CeremonyId
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose


class MemoryPasskeyCeremonyRepository:
    """`PasskeyCeremonyRepository` on a block."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, ceremony: PasskeyCeremony) -> None:
        def write(state: State) -> None:
            state.expect_user(ceremony.user_id)
            expect_free(ceremony.id, state.passkey_ceremonies)
            for other in list(state.passkey_ceremonies.values()):
                if ceremony.bound_to is not None and _aim(other) == _aim(ceremony):
                    del state.passkey_ceremonies[other.id]
            state.passkey_ceremonies[ceremony.id] = ceremony

        await self._block.write(write, ceremony.id)

    async def find_good(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        found = self._block.state().passkey_ceremonies.get(ceremony_id)
        return found if found is not None and _aim(found) == (purpose, bound_to) and at < found.expires_at else None

    async def take(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        await self._block.lock(ceremony_id)
        found = await self.find_good(ceremony_id, purpose=purpose, bound_to=bound_to, at=at)
        if found is not None:
            await self._block.remove(lambda state: state.passkey_ceremonies, ceremony_id)
        return found

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        kept = self._block.state().passkey_ceremonies.values()
        expired = [ceremony.id for ceremony in kept if ceremony.expires_at < expired_before][:limit]
        return await self._block.remove(lambda state: state.passkey_ceremonies, *expired)


def _aim(ceremony: PasskeyCeremony) -> tuple[PasskeyPurpose, UUID | None]:
    return ceremony.purpose, ceremony.bound_to
