"""Where what passkeys were asked is kept."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ids import CeremonyId
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose


class PasskeyCeremonyRepository(Protocol):
    """All ceremonies that were begun."""

    async def add(self, ceremony: PasskeyCeremony) -> None:
        """Keep a new one. That of before for the same purpose and bound to the same is over with that.

        Raises: UserNotFound.
        """
        ...

    async def find_good(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        """What `take` would give. It is as good afterwards."""
        ...

    async def take(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        """That one, and nobody else's from then on: of all who try at once, one gets it. One statement.

        None for another purpose or one that is bound to something else, which it stays good for; None if it expired.
        """
        ...

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most `limit` that expired before that moment; how many."""
        ...
