"""Seeing what was sent."""

from application.paging.page import Page, page_of
from application.ports.unit_of_work import UnitOfWork
from domain.ids import MessageId
from domain.messages.message import Message, MessageState


class ListMessages:
    """Show messages and how far they have come."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(
        self, *, state: MessageState | None = None, before: MessageId | None = None, limit: int
    ) -> Page[Message, MessageId]:
        """At most `limit`, of one state or of any, newest first, beginning after the one with that id."""
        async with self._unit_of_work.read() as tx:
            found = await tx.messages.page(state=state, before=before, limit=limit + 1)
        return page_of(found, limit=limit, place=lambda message: message.id)
