"""Listing users."""

from application.paging.page import Page
from application.ports.unit_of_work import UnitOfWork
from application.ports.user_search import UserFilter, UserOrder, UserPosition
from domain.users.user import User

_ANYBODY = UserFilter()


class ListUsers:
    """Show users page by page."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(
        self,
        *,
        limit: int,
        only: UserFilter = _ANYBODY,
        order: UserOrder = UserOrder.NEWEST,
        after: UserPosition | None = None,
    ) -> Page[User, UserPosition]:
        """At most `limit` of those whom the filter admits, beginning after a position of the same order.

        Where few are admitted a page may be short, or empty, before the end: it costs no more for that.
        """
        async with self._unit_of_work.read() as tx:
            return await tx.users.page(only=only, order=order, after=after, limit=limit)
