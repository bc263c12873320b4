"""Where refused sign-ins are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import UserId
from domain.sessions.sign_in_attempt import Reference, SignInAttempt


class SignInAttemptRepository(Protocol):
    """All refused sign-ins, by their reference, until they are purged or their user is removed."""

    async def add(self, attempt: SignInAttempt) -> None:
        """Keep one. One that is there under the reference stays as it is.

        Raises: UserNotFound.
        """
        ...

    async def find(self, reference: Reference) -> SignInAttempt | None:
        """One of them."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[SignInAttempt]:
        """All that were about this user, newest first."""
        ...

    async def purge(self, *, occurred_before: datetime, limit: int) -> int:
        """Forget at most `limit` of before that moment; how many."""
        ...
