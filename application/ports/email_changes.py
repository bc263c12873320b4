"""Where wishes to move to another address are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.ids import EmailChangeId, UserId
from domain.users.email_change import EmailChange


class EmailChangeRepository(Protocol):
    """All requested changes of address. They never change themselves."""

    async def add(self, change: EmailChange) -> None:
        """Keep a new one of an existing user.

        Raises: UserNotFound.
        """
        ...

    async def find(self, change_id: EmailChangeId) -> EmailChange | None:
        """One change."""
        ...

    async def remove(self, user_id: UserId, *, requested_from: datetime | None = None) -> None:
        """Forget the user's changes that were requested at that moment or later, or all of them, and their tokens."""
        ...

    async def of_user(self, user_id: UserId, *, limit: int | None = None) -> Sequence[EmailChange]:
        """At most `limit` of one user, newest first."""
        ...

    async def purge(self, *, requested_before: datetime, limit: int) -> int:
        """Forget at most `limit` that were requested before that moment; how many."""
        ...
