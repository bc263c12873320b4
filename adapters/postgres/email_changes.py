"""Changes of address in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Row

from adapters.postgres.models import EmailChangeModel
from adapters.postgres.statements import Statements
from domain.ids import EmailChangeId, UserId
from domain.users.email_address import EmailAddress
from domain.users.email_change import EmailChange

_CHANGES = EmailChangeModel.__table__


class PostgresEmailChangeRepository:
    """`EmailChangeRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, change: EmailChange) -> None:
        await self._statements.write(insert(EmailChangeModel), _to_row(change))

    async def find(self, change_id: EmailChangeId) -> EmailChange | None:
        return await self._statements.find(select(_CHANGES).where(_CHANGES.c.id == change_id), _from_row)

    async def remove(self, user_id: UserId, *, requested_from: datetime | None = None) -> None:
        these = _CHANGES.c.user_id == user_id
        if requested_from is not None:
            these &= _CHANGES.c.requested_at >= requested_from
        await self._statements.write(delete(EmailChangeModel).where(these))

    async def of_user(self, user_id: UserId, *, limit: int | None = None) -> Sequence[EmailChange]:
        query = select(_CHANGES).where(_CHANGES.c.user_id == user_id).order_by(_CHANGES.c.id.desc())
        return [_from_row(row) for row in await self._statements.rows(query.limit(limit))]

    async def purge(self, *, requested_before: datetime, limit: int) -> int:
        old = _CHANGES.c.requested_at < requested_before
        return await self._statements.delete_some(EmailChangeModel, old, limit, by=_CHANGES.c.requested_at)


def _to_row(change: EmailChange) -> dict[str, object]:
    return {
        "id": change.id,
        "user_id": change.user_id,
        "session_id": change.session_id,
        "security_epoch": change.security_epoch,
        "old_email": change.old.display,
        "old_email_canonical": change.old.canonical,
        "old_is_verified": change.old_is_verified,
        "new_email": change.new.display,
        "new_email_canonical": change.new.canonical,
        "requested_at": change.requested_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> EmailChange:
    return EmailChange(
        id=row.id,
        user_id=row.user_id,
        session_id=row.session_id,
        security_epoch=row.security_epoch,
        old=EmailAddress(canonical=row.old_email_canonical, display=row.old_email),
        old_is_verified=row.old_is_verified,
        new=EmailAddress(canonical=row.new_email_canonical, display=row.new_email),
        requested_at=row.requested_at,
    )
