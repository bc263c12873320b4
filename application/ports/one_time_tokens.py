"""Where one-time tokens are kept."""

from datetime import datetime
from typing import Protocol

from domain.ids import UserId
from domain.recovery.one_time_token import OneTimeToken, Purpose


class OneTimeTokenRepository(Protocol):
    """All one-time tokens, as hashes.

    Wherever it says good, `OneTimeToken.is_good` holds for the user as they stand then, in the same statement.
    """

    async def add(self, token: OneTimeToken) -> None:
        """Keep a new token of an existing user. Kills older ones where `Purpose.replaces_older`.

        With the user locked, so that tokens are made one after the other: else all but one at a time are DuplicateKey.

        Raises: UserNotFound.
        """
        ...

    async def has_good(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> bool:
        """Whether the user has a good token for that purpose."""
        ...

    async def find_good(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        """The good token with this SHA-256, if it is for that purpose. It is as good afterwards."""
        ...

    async def use(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        """As `find_good`, and nobody else's from then on: of all who try at once, one gets it. One statement.

        Whoever else wants it waits for the end of this transaction.
        """
        ...

    async def try_code(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        """The good token whose code may be tried, with one attempt less. One statement; commit before comparing.

        None where there is none, its code has expired, or all attempts are spent.
        """
        ...

    async def spend(
        self, user_id: UserId, purpose: Purpose, *, at: datetime, issued_from: datetime | None = None
    ) -> None:
        """Kill the user's tokens for that purpose, or only those made at that moment or later."""
        ...

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most `limit` tokens that expired before that moment; how many."""
        ...
