"""Where authenticator apps are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import FactorId, UserId
from domain.mfa.totp_factor import TotpFactor


class TotpFactorRepository(Protocol):
    """All authenticator apps. What is handed out is the caller's own copy: it counts only once it is saved."""

    async def add(self, factor: TotpFactor) -> None:
        """Keep a new one of an existing user.

        Raises: UserNotFound.
        """
        ...

    async def save(self, factor: TotpFactor) -> None:
        """Keep the present state of a loaded one and count its version up. `last_step` never goes back.

        Raises: ConcurrentUpdate when it was changed or removed since it was loaded.
        """
        ...

    async def remove(self, factor: TotpFactor) -> None:
        """Forget a loaded one. What it has recorded is written down."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[TotpFactor]:
        """All of the user, active or not, oldest first."""
        ...

    async def use_step(self, factor_id: FactorId, step: int, *, at: datetime) -> bool:
        """Use the code of a step up; False where it, or that of a later one, was used before, or nothing is active.

        One statement: of all who try at once, one gets it. The version stays.
        """
        ...

    async def use_up(self, step: int, *, limit: int) -> int:
        """Use up every step until this one, of at most `limit` factors of anybody's that are not there; how many."""
        ...

    async def purge(self, *, pending_since: datetime, limit: int) -> int:
        """Forget at most `limit` that were begun before that moment and are not active; how many."""
        ...
