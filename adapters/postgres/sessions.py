"""Sessions in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row

from adapters.postgres import totp_factors, user_passkeys, users
from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import RefreshTokenModel, SessionModel, UserModel
from adapters.postgres.prepared import Prepared, filled_row, open_row
from adapters.postgres.recorded import Recorded
from adapters.postgres.statements import Statements, is_one_of
from application.ports.sessions import AsUsual
from domain.ids import SessionId, UserId
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.principal import Principal
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Device, EndReason, Session, SessionNotFound

_SESSIONS = SessionModel.__table__
_TOKENS = RefreshTokenModel.__table__
_USERS = UserModel.__table__
# Session and user in one row: the session's columns get a prefix, since both have an id and a version.
_PREFIX = "session_"
PREFIXED = [column.label(_PREFIX + column.name) for column in _SESSIONS.c]


class PostgresSessionRepository:
    """`SessionRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, session: Session) -> None:
        await self._statements.write(insert(SessionModel), _to_row(session))
        await self._audit.append_all(session.collect_events())

    async def open(
        self,
        session: Session,
        first: RefreshToken,
        *,
        only_if: AsUsual | None,
        used_after: datetime,
        seen_unless_after: datetime,
    ) -> bool:
        opened = await self._audit.record(
            _OPEN,
            session,
            **filled_row(_to_row(session)),
            digest=first.digest,
            issued_at=first.issued_at,
            whatever=only_if is None,
            most=only_if.most if only_if is not None else 0,
            first_is_new=only_if is not None and only_if.first_is_new,
            used_after=used_after,
            seen_unless_after=seen_unless_after,
        )
        return opened is not None

    async def save(self, session: Session) -> None:
        await self._statements.save(SessionModel, session, _to_row(session))
        await self._audit.append_all(session.collect_events())

    async def note_use(self, session_id: SessionId, *, at: datetime, unless_after: datetime) -> None:
        due = (_SESSIONS.c.id == session_id) & (_SESSIONS.c.last_used_at <= unless_after)
        await self._statements.write(update(SessionModel).where(due).values(last_used_at=at))

    async def get(self, session_id: SessionId) -> Session:
        return await self._one(select(*PREFIXED).where(_SESSIONS.c.id == session_id))

    async def lock(self, session_id: SessionId) -> Session:
        return await self._one(select(*PREFIXED).where(_SESSIONS.c.id == session_id).with_for_update())

    async def live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        return [from_row(row) for row in await self._statements.rows(_live_of(user_id, at, used_after))]

    async def lock_live_of(self, user_id: UserId, *, at: datetime, used_after: datetime) -> Sequence[Session]:
        query = _live_of(user_id, at, used_after).with_for_update(of=_SESSIONS)
        return [from_row(row) for row in await self._statements.rows(query)]

    async def all_of(self, user_id: UserId) -> Sequence[Session]:
        query = select(*PREFIXED).where(_SESSIONS.c.user_id == user_id).order_by(_SESSIONS.c.id.desc())
        return [from_row(row) for row in await self._statements.rows(query)]

    async def is_new_device(self, user_id: UserId, device: Device, *, first_is_new: bool) -> bool:
        same = (
            _SESSIONS.c.device_name == device.name
            if device.name is not None
            else _SESSIONS.c.user_agent.is_not_distinct_from(device.user_agent)
        )
        query = select(func.count().label("sessions"), func.count().filter(same).label("same"))
        row = await self._statements.row(query.where(_SESSIONS.c.user_id == user_id))
        return row is not None and row.same == 0 and (first_is_new or row.sessions > 0)

    async def purge(self, *, over_since: datetime, limit: int) -> int:
        over_at = func.least(_SESSIONS.c.ended_at, _SESSIONS.c.expires_at)
        over = select(_SESSIONS.c.id).where(over_at < over_since).order_by(over_at).limit(limit)
        ids = [row.id for row in await self._statements.rows(over.with_for_update(skip_locked=True))]
        if not ids:
            return 0
        # Theirs first: one may have been refreshed thousands of times.
        tokens = select(_TOKENS.c.digest).where(_TOKENS.c.session_id.in_(ids))
        removed = await self._statements.count(
            delete(RefreshTokenModel).where(is_one_of(_TOKENS.c.digest, tokens, limit))
        )
        gone = _SESSIONS.c.id.in_(ids[: limit - removed])
        return removed + await self._statements.count(delete(SessionModel).where(gone))

    async def find_live(self, session_id: SessionId, *, at: datetime) -> Principal | None:
        row = await self._statements.prepared_row(_FIND_LIVE, session_id=session_id, at=at)
        if row is None:
            return None
        return Principal(user=users.from_row(row), session=from_row(row), has_factors=row.has_factors)

    async def _one(self, query: Select[*tuple[Any, ...]]) -> Session:
        row = await self._statements.row(query)
        if row is None:
            raise SessionNotFound
        return from_row(row)


def _live_of(user_id: UserId, at: datetime, used_after: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(*PREFIXED)
        .join_from(_SESSIONS, _USERS)
        .where(_SESSIONS.c.user_id == user_id, _is_live(at), _SESSIONS.c.last_used_at > used_after)
        .order_by(_SESSIONS.c.id.desc())
    )


def _is_live(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """`Session.is_live` in SQL, so that the check and the read are one statement."""
    return and_(
        _SESSIONS.c.ended_at.is_(None),
        _SESSIONS.c.expires_at > at,
        users.may_come_in(at),
        _USERS.c.security_epoch == _SESSIONS.c.security_epoch,
    )


_HAS_FACTORS = or_(totp_factors.is_active_of(_USERS.c.id), user_passkeys.is_there_of(_USERS.c.id))
_FIND_LIVE = Prepared(
    select(_USERS, *PREFIXED, _HAS_FACTORS.label("has_factors"))
    .join_from(_SESSIONS, _USERS)
    .where(_SESSIONS.c.id == bindparam("session_id"), _is_live(bindparam("at")))
)


# As it stands before: the statement does not see what it writes itself.
_live = (
    select(func.count())
    .join_from(_SESSIONS, _USERS)
    .where(
        _SESSIONS.c.user_id == bindparam("new_user_id"),
        _is_live(bindparam("new_created_at")),
        _SESSIONS.c.last_used_at > bindparam("used_after"),
    )
    .scalar_subquery()
)
_row = open_row(_SESSIONS)
_own = exists().where(_SESSIONS.c.user_id == _row["user_id"])
_is_known = or_(
    _own.where(_SESSIONS.c.device_name == _row["device_name"]),
    _own.where(_row["device_name"].is_(None), _SESSIONS.c.user_agent.is_not_distinct_from(_row["user_agent"])),
    and_(not_(bindparam("first_is_new", type_=Boolean())), not_(_own)),
)
_is_usual = and_(_live < bindparam("most", type_=Integer()), _is_known)
_opened = (
    insert(SessionModel)
    .from_select([*_row], select(*_row.values()).where(or_(bindparam("whatever", type_=Boolean()), _is_usual)))
    .returning(_SESSIONS.c.id)
    .cte("opened")
)
_first_token = insert(RefreshTokenModel).from_select(
    ["digest", "session_id", "generation", "issued_at"],
    select(
        bindparam("digest", type_=_TOKENS.c.digest.type),
        _opened.c.id,
        _row["generation"],
        bindparam("issued_at", type_=_TOKENS.c.issued_at.type),
    ),
)
# Nobody waits for it: while somebody changes the user, it is as good to note it the next time.
_unnoted = (
    select(_USERS.c.id)
    .join_from(_USERS, _opened, _USERS.c.id == bindparam("new_user_id"))
    .where(_USERS.c.last_seen_at <= bindparam("seen_unless_after"))
    .with_for_update(of=_USERS, key_share=True, skip_locked=True)
)
_seen = update(UserModel).where(_USERS.c.id.in_(_unnoted)).values(last_seen_at=bindparam("new_created_at"))
_OPEN = Recorded(_opened, _first_token.cte("first_token"), _seen.cte("seen"))


def _to_row(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "version": session.version,
        "user_id": session.user_id,
        "security_epoch": session.security_epoch,
        "methods": list(session.methods),
        "user_agent": session.device.user_agent,
        "network_address": session.device.network_address,
        "device_name": session.device.name,
        "authenticated_at": session.authenticated_at,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
        "generation": session.generation,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
    }


def from_row(row: Row[*tuple[Any, ...]]) -> Session:
    """The session of a row that has the columns of `PREFIXED`."""
    return Session(
        id=row.session_id,
        version=row.session_version,
        user_id=row.session_user_id,
        security_epoch=row.session_security_epoch,
        methods=tuple(AuthenticationMethod(method) for method in row.session_methods),
        device=Device(
            user_agent=row.session_user_agent,
            network_address=row.session_network_address,
            name=row.session_device_name,
        ),
        authenticated_at=row.session_authenticated_at,
        created_at=row.session_created_at,
        last_used_at=row.session_last_used_at,
        expires_at=row.session_expires_at,
        generation=row.session_generation,
        ended_at=row.session_ended_at,
        end_reason=EndReason(row.session_end_reason) if row.session_end_reason is not None else None,
    )
