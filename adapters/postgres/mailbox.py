"""The mailbox of development, in PostgreSQL, so that every process sees the same."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.models import MailboxModel
from adapters.postgres.statements import connection_of
from application.ports.mailbox import Mailbox, ReceivedMail
from domain.ids import MessageId

_MAILS = MailboxModel.__table__


class PostgresMailbox:
    """`Mailbox` on an engine of `open_engine`. A mail goes when its message does."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, mail: ReceivedMail) -> None:
        row = asdict(mail)
        row["message_id"] = row.pop("id")
        statement = insert(MailboxModel).values(row)
        async with connection_of(self._engine) as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["message_id"], set_=dict(statement.excluded))
            )

    async def latest(self, *, limit: int) -> Sequence[ReceivedMail]:
        async with connection_of(self._engine) as connection:
            rows = (await connection.execute(select(_MAILS).order_by(_MAILS.c.message_id.desc()).limit(limit))).all()
        return [_from_row(row) for row in rows]

    async def find(self, message_id: MessageId) -> ReceivedMail | None:
        async with connection_of(self._engine) as connection:
            row = (await connection.execute(select(_MAILS).where(_MAILS.c.message_id == message_id))).one_or_none()
        return _from_row(row) if row is not None else None


def _from_row(row: Row[*tuple[Any, ...]]) -> ReceivedMail:
    return ReceivedMail(
        id=row.message_id,
        recipient=row.recipient,
        subject=row.subject,
        text=row.text,
        html=row.html,
        received_at=row.received_at,
    )


def _is_mailbox(postgres: PostgresMailbox) -> Mailbox:
    return postgres
