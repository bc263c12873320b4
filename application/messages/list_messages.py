"""Seeing what was sent."""

from collections.abc import Sequence

from application.ports.unit_of_work import UnitOfWork
from domain.messages.message import Message, MessageState


class ListMessages:
    """Show messages and how far they have come."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self, *, state: MessageState | None = None, limit: int) -> Sequence[Message]:
        """At most `limit`, of one state or of any, newest first."""
        async with self._unit_of_work.read() as tx:
            return await tx.messages.latest(state=state, limit=limit)
