"""Listing users."""

from application.paging.page import Page
from application.ports.delayed_reads import DelayedReads
from application.ports.user_search import UserFilter, UserOrder, UserPosition
from domain.users.user import User

_ANYBODY = UserFilter()


class ListUsers:
    """Show users page by page, as they are or were a moment ago."""

    def __init__(self, delayed_reads: DelayedReads) -> None:
        self._delayed_reads = delayed_reads

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
        async with self._delayed_reads.read() as tx:
            return await tx.users.page(only=only, order=order, after=after, limit=limit)
