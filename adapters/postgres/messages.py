"""Messages in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.jobs import queue
from adapters.postgres.models import MessageModel
from adapters.postgres.statements import Statements, is_one_of
from application.ports.jobs import JobKind
from domain.ids import MessageId, UserId
from domain.messages.message import Message, MessageKind, MessageNotFound, MessageState
from domain.users.email_address import EmailAddress

_MESSAGES = MessageModel.__table__
# To the letter as in the index of these: a parameter would not be found to imply it.
_IS_WAITING: ColumnElement[bool] = literal_column("state IN ('queued', 'failed')")
_OVER = [MessageState.SENT.value, MessageState.DEAD.value]


class PostgresMessageRepository:
    """`MessageRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, message: Message) -> bool:
        new = insert(MessageModel).on_conflict_do_nothing(index_elements=["event_id", "kind"])
        if await self._statements.count(new.values(_to_row(message))) == 0:
            return False
        await queue(self._statements, JobKind.MESSAGE, [message.id])
        await self._audit.append_all(message.collect_events())
        return True

    async def save(self, message: Message) -> None:
        await self._statements.save(MessageModel, message, _to_row(message))
        await self._audit.append_all(message.collect_events())

    async def lock(self, message_id: MessageId) -> Message:
        row = await self._statements.row(select(_MESSAGES).where(_MESSAGES.c.id == message_id).with_for_update())
        if row is None:
            raise MessageNotFound
        return _from_row(row)

    async def count(self, recipient: EmailAddress, kind: MessageKind, *, created_after: datetime) -> int:
        query = select(func.count().label("messages")).where(
            _MESSAGES.c.recipient_canonical == recipient.canonical,
            _MESSAGES.c.kind == kind,
            _MESSAGES.c.created_at > created_after,
        )
        row = await self._statements.row(query)
        return row.messages if row is not None else 0

    async def requeue(self, *, untouched_since: datetime, at: datetime, limit: int) -> int:
        stranded = select(_MESSAGES.c.id).where(_IS_WAITING, _MESSAGES.c.updated_at <= untouched_since)
        rows = await self._statements.rows(
            update(MessageModel)
            .where(is_one_of(_MESSAGES.c.id, stranded, limit, by=_MESSAGES.c.updated_at))
            .values(updated_at=at)
            .returning(_MESSAGES.c.id)
        )
        await queue(self._statements, JobKind.MESSAGE, [row.id for row in rows])
        return len(rows)

    async def of_user(self, user_id: UserId) -> Sequence[Message]:
        query = select(_MESSAGES).where(_MESSAGES.c.user_id == user_id).order_by(_MESSAGES.c.id.desc())
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def queue_again(self, message: Message) -> None:
        await queue(self._statements, JobKind.MESSAGE, [message.id])

    async def page(
        self, *, state: MessageState | None = None, before: MessageId | None = None, limit: int
    ) -> Sequence[Message]:
        query = select(_MESSAGES).order_by(_MESSAGES.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(_MESSAGES.c.state == state)
        if before is not None:
            query = query.where(_MESSAGES.c.id < before)
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def purge(self, *, updated_before: datetime, limit: int) -> int:
        over = _MESSAGES.c.state.in_(_OVER) & (_MESSAGES.c.updated_at < updated_before)
        return await self._statements.delete_some(MessageModel, over, limit, by=_MESSAGES.c.updated_at)


def _to_row(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "version": message.version,
        "event_id": message.event_id,
        "kind": message.kind,
        "user_id": message.user_id,
        "recipient": message.recipient.display,
        "recipient_canonical": message.recipient.canonical,
        "locale": message.locale,
        "sealed_content": message.sealed_content,
        "good_until": message.good_until,
        "state": message.state,
        "attempts": message.attempts,
        "last_error": message.last_error,
        "retried_at": message.retried_at,
        "created_at": message.created_at,
        "updated_at": message.updated_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> Message:
    return Message(
        id=row.id,
        version=row.version,
        event_id=row.event_id,
        kind=MessageKind(row.kind),
        user_id=row.user_id,
        recipient=EmailAddress(canonical=row.recipient_canonical, display=row.recipient),
        locale=row.locale,
        sealed_content=row.sealed_content,
        good_until=row.good_until,
        state=MessageState(row.state),
        attempts=row.attempts,
        last_error=row.last_error,
        retried_at=row.retried_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
