"""Where resets of second factors wait."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import UserId
from domain.mfa.factor_reset import FactorReset


class FactorResetRepository(Protocol):
    """All resets that are held: one for each factor, at most. What is over is not kept."""

    async def add(self, reset: FactorReset) -> None:
        """Hold a new one of an existing user.

        Raises: UserNotFound.
        """
        ...

    async def remove(self, reset: FactorReset) -> None:
        """Forget a loaded one, if it is still there. What it has recorded is written down."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[FactorReset]:
        """All of the user, that which is due first before the others."""
        ...

    async def due(self, *, at: datetime, limit: int) -> Sequence[FactorReset]:
        """At most `limit` that are due at that moment, the longest due first."""
        ...
