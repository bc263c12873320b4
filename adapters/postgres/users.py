"""Users in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row

from adapters.postgres import totp_factors, user_passkeys
from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import UserModel
from adapters.postgres.prepared import Prepared, filled_row, open_row
from adapters.postgres.recorded import Recorded
from adapters.postgres.statements import Statements
from adapters.postgres.user_pages import page_of_users, position_of
from application.paging.page import MOST_EXAMINED, Page
from application.ports.user_search import UserFilter, UserOrder, UserPosition
from domain.ids import NOBODY, UserId
from domain.mfa.factor import FactorKind
from domain.users.email_address import EmailAddress
from domain.users.password import PasswordHash
from domain.users.roles import ADMIN
from domain.users.suspension import Suspension
from domain.users.user import User, UserNotFound

_USERS = UserModel.__table__
# As the index of operators has it: a parameter would not be found to imply it.
_IS_ADMIN = literal_column(f"'{ADMIN}'") == any_(_USERS.c.roles)
_ADD = Recorded(insert(UserModel).values(open_row(_USERS)).returning(_USERS.c.id).cte("act"))

_SOMEBODY = func.coalesce(_USERS.c.id, literal(NOBODY, _USERS.c.id.type))
_FACTORS: Mapping[FactorKind, ColumnElement[bool]] = {
    FactorKind.TOTP: totp_factors.is_active_of(_SOMEBODY),
    FactorKind.PASSKEY: user_passkeys.is_there_of(_SOMEBODY),
}
_one = select(literal(1).label("number")).subquery("one")
_WITH_FACTORS = Prepared(
    select(_USERS, *(has.label(kind) for kind, has in _FACTORS.items())).select_from(
        _one.outerjoin(_USERS, _USERS.c.email_canonical == bindparam("email"))
    )
)


class PostgresUserRepository:
    """`UserRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, user: User) -> None:
        await self._audit.record(_ADD, user, **filled_row(to_row(user)))

    async def save(self, user: User) -> None:
        await self._statements.save(UserModel, user, _state(user))
        await self._audit.append_all(user.collect_events())

    async def get(self, user_id: UserId) -> User:
        return await self._one(select(_USERS).where(_USERS.c.id == user_id))

    async def lock(self, user_id: UserId) -> User:
        # FOR NO KEY UPDATE: rows that refer to the user may come meanwhile.
        return await self._one(select(_USERS).where(_USERS.c.id == user_id).with_for_update(key_share=True))

    async def find_by_email(self, email: EmailAddress) -> User | None:
        return await self._statements.find(select(_USERS).where(_USERS.c.email_canonical == email.canonical), from_row)

    async def find_with_factors(self, email: EmailAddress) -> tuple[User, frozenset[FactorKind]] | None:
        row = await self._statements.prepared_row(_WITH_FACTORS, email=email.canonical)
        if row is None or row.id is None:
            return None
        return from_row(row), frozenset(kind for kind in _FACTORS if getattr(row, kind))

    async def remove(self, user_id: UserId) -> None:
        await self._statements.write(delete(UserModel).where(_USERS.c.id == user_id))

    async def due_for_erasure(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        query = select(_USERS.c.id).where(_USERS.c.deletion_due_at <= at).order_by(_USERS.c.deletion_due_at)
        return [row.id for row in await self._statements.rows(query.limit(limit))]

    async def lock_admins(self) -> Sequence[User]:
        query = select(_USERS).where(_IS_ADMIN).order_by(_USERS.c.id)
        return [from_row(row) for row in await self._statements.rows(query.with_for_update(key_share=True))]

    async def over_suspended(self, *, at: datetime, limit: int) -> Sequence[UserId]:
        query = select(_USERS.c.id).where(_USERS.c.suspended_until <= at).order_by(_USERS.c.suspended_until)
        return [row.id for row in await self._statements.rows(query.limit(limit))]

    async def note_seen(self, user_id: UserId, *, at: datetime, unless_after: datetime) -> None:
        due = (_USERS.c.id == user_id) & (_USERS.c.last_seen_at <= unless_after)
        await self._statements.write(update(UserModel).where(due).values(last_seen_at=at))

    async def page(
        self, *, only: UserFilter, order: UserOrder, after: UserPosition | None, limit: int
    ) -> Page[User, UserPosition]:
        prepared, values = page_of_users(only, order, after, limit)
        rows = await self._statements.prepared_rows(prepared, **values)
        admitted = [row for row in rows if row.admitted]
        shown = [from_row(row) for row in admitted[:limit]]
        if len(admitted) > limit:
            return Page(shown, position_of(admitted[limit - 1], order))
        is_window = bool(rows) and rows[-1].entry == MOST_EXAMINED
        return Page(shown, position_of(rows[-1], order) if is_window else None)

    async def _one(self, query: Select[*tuple[Any, ...]]) -> User:
        row = await self._statements.row(query)
        if row is None:
            raise UserNotFound
        return from_row(row)


def may_come_in(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """`User.may_come_in` in SQL."""
    in_time = or_(_USERS.c.deletion_due_at.is_(None), _USERS.c.deletion_due_at > at)
    is_free = or_(_USERS.c.suspended_at.is_(None), _USERS.c.suspended_until <= at)
    return is_free & in_time


def to_row(user: User) -> dict[str, object]:
    """The columns of a new user."""
    return _state(user) | {"last_seen_at": user.last_seen_at}


def _state(user: User) -> dict[str, object]:
    """The columns that change with the version."""
    suspension = user.suspension
    return {
        "id": user.id,
        "version": user.version,
        "email": user.email.display,
        "email_canonical": user.email.canonical,
        "email_verified_at": user.email_verified_at,
        "password_hash": user.password_hash.encoded if user.password_hash is not None else None,
        "display_name": user.display_name,
        "locale": user.locale,
        "roles": sorted(user.roles),
        "security_epoch": user.security_epoch,
        "suspended_at": suspension.since if suspension is not None else None,
        "suspended_until": suspension.until if suspension is not None else None,
        "suspension_reason": suspension.reason if suspension is not None else None,
        "deletion_due_at": user.deletion_due_at,
        "source_id": user.source_id,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }


def from_row(row: Row[*tuple[Any, ...]]) -> User:
    """The user of a row that has the columns of `users`."""
    return User(
        id=row.id,
        version=row.version,
        email=EmailAddress(canonical=row.email_canonical, display=row.email),
        email_verified_at=row.email_verified_at,
        password_hash=PasswordHash(owner=row.id, encoded=row.password_hash) if row.password_hash is not None else None,
        display_name=row.display_name,
        locale=row.locale,
        roles=frozenset(row.roles),
        security_epoch=row.security_epoch,
        suspension=_suspension(row),
        deletion_due_at=row.deletion_due_at,
        source_id=row.source_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_seen_at=row.last_seen_at,
    )


def _suspension(row: Row[*tuple[Any, ...]]) -> Suspension | None:
    if row.suspended_at is None:
        return None
    # The release before gave no reasons.
    reason = row.suspension_reason or "unknown"
    return Suspension(since=row.suspended_at, reason=reason, until=row.suspended_until)
