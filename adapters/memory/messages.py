"""Messages in memory."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from application.ports.jobs import Job, JobKind
from domain.ids import MessageId, UserId
from domain.messages.message import Message, MessageKind, MessageNotFound, MessageState
from domain.users.email_address import EmailAddress


class MemoryMessageRepository:
    """`MessageRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, message: Message) -> bool:
        # Whoever adds the same comes after us, and then finds ours.
        await self._block.lock((message.event_id, message.kind))
        messages = self._block.state().messages.values()
        if any((other.event_id, other.kind) == (message.event_id, message.kind) for other in messages):
            return False
        row = row_of(message)

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            add_row(state.messages, row.id, row)

        await self._block.write(write, row.id)
        self._block.jobs.append(Job(kind=JobKind.MESSAGE, subject=row.id))
        await self._audit.append_all(message.collect_events())
        return True

    async def save(self, message: Message) -> None:
        row = next_row_of(message)
        await self._block.write(lambda state: replace_row(state.messages, row.id, row), row.id)
        message.version = row.version
        await self._audit.append_all(message.collect_events())

    async def lock(self, message_id: MessageId) -> Message:
        await self._block.lock(message_id)
        message = self._block.state().messages.get(message_id)
        if message is None:
            raise MessageNotFound
        return copy.deepcopy(message)

    async def count(self, recipient: EmailAddress, kind: MessageKind, *, created_after: datetime) -> int:
        return sum(
            message.recipient == recipient and message.kind is kind and message.created_at > created_after
            for message in self._block.state().messages.values()
        )

    async def requeue(self, *, untouched_since: datetime, at: datetime, limit: int) -> int:
        messages = self._block.state().messages.values()
        stranded = [row.id for row in messages if row.is_waiting and row.updated_at <= untouched_since][:limit]

        def write(state: State) -> None:
            for message_id in stranded:
                state.messages[message_id] = replace(state.messages[message_id], updated_at=at)

        await self._block.write(write, *stranded)
        self._block.jobs.extend(Job(kind=JobKind.MESSAGE, subject=message_id) for message_id in stranded)
        return len(stranded)

    async def of_user(self, user_id: UserId) -> Sequence[Message]:
        return [message for message in self._newest_first() if message.user_id == user_id]

    async def queue_again(self, message: Message) -> None:
        self._block.jobs.append(Job(kind=JobKind.MESSAGE, subject=message.id))

    async def page(
        self, *, state: MessageState | None = None, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        return [
            message
            for message in self._newest_first()
            if (state is None or message.state is state) and (before is None or message.id < before)
        ][:limit]

    async def purge(self, *, updated_before: datetime, limit: int) -> int:
        messages = self._block.state().messages.values()
        over = [row.id for row in messages if not row.is_waiting and row.updated_at < updated_before][:limit]
        return await self._block.remove(lambda state: state.messages, *over)

    def _newest_first(self) -> list[Message]:
        messages = self._block.state().messages.values()
        return copy.deepcopy(sorted(messages, key=lambda message: message.id, reverse=True))
