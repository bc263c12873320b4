"""Where recovery codes are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import UserId
from domain.mfa.recovery_code import RecoveryCode


class RecoveryCodeRepository(Protocol):
    """All recovery codes, as hashes."""

    async def replace(self, user_id: UserId, codes: Sequence[RecoveryCode]) -> None:
        """Keep these of an existing user, and no older ones; without any, none. With the user locked.

        Raises: UserNotFound.
        """
        ...

    async def find(self, user_id: UserId, handle: str) -> RecoveryCode | None:
        """The user's code of this handle, unless it was used."""
        ...

    async def use(self, code: RecoveryCode, *, at: datetime) -> bool:
        """Use this very code up; False where it was used before, or replaced.

        One statement: of all who try at once, one gets it.
        """
        ...

    async def forget_some(self, *, limit: int) -> int:
        """Forget at most `limit`, whosever they are; how many."""
        ...

    async def count(self, user_id: UserId) -> int:
        """How many the user has left."""
        ...
