"""Listing users."""

from collections.abc import Sequence

from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.users.user import User


class ListUsers:
    """Show users page by page, newest first."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, limit: int, before: UserId | None = None) -> Sequence[User]:
        """At most `limit` users, starting after the one with the id `before`."""
        async with self._unit_of_work.read() as tx:
            return await tx.users.page(before=before, limit=limit)
