"""Users in PostgreSQL, many at a time."""

from collections.abc import Sequence

from sqlalchemy import Text, Uuid, any_, bindparam, cast, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.models import UserModel
from adapters.postgres.statements import Statements
from adapters.postgres.users import from_row, to_row
from application.ports.user_imports import Identities
from domain.ids import UserId
from domain.users.user import User

_USERS = UserModel.__table__
# An index for each of the three. Made once: a statement is a cycle, and would hold on to the values that it has.
_TAKEN = select(_USERS.c.id, _USERS.c.source_id, _USERS.c.email_canonical).where(
    or_(
        _USERS.c.id == any_(cast(bindparam("ids"), ARRAY(Uuid))),
        _USERS.c.source_id == any_(cast(bindparam("source_ids"), ARRAY(Text))),
        _USERS.c.email_canonical == any_(cast(bindparam("emails"), ARRAY(Text))),
    )
)


class PostgresBulkUserRepository:
    """`BulkUserRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def taken(self, asked: Identities) -> Identities:
        await self._statements.plan_anew()
        rows = await self._statements.rows(
            _TAKEN,
            {"ids": [*asked.ids], "source_ids": [*asked.source_ids], "emails": [*asked.emails]},
        )
        return Identities(
            ids={row.id for row in rows},
            source_ids={row.source_id for row in rows if row.source_id is not None},
            emails={row.email_canonical for row in rows},
        )

    async def add_all(self, users: Sequence[User]) -> None:
        if users:
            rows = [to_row(user) for user in users]
            await self._statements.copy(UserModel, [*rows[0]], (tuple(row.values()) for row in rows))

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        query = select(_USERS).order_by(_USERS.c.id).limit(limit)
        if after is not None:
            query = query.where(_USERS.c.id > after)
        return [from_row(row) for row in await self._statements.rows(query)]
