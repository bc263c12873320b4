"""Refresh tokens in PostgreSQL."""

from typing import Any

from sqlalchemy import bindparam, case, insert, null, or_, select, update
from sqlalchemy.engine import Row

from adapters.postgres import sessions, users
from adapters.postgres.models import RefreshTokenModel, SessionModel, UserModel
from adapters.postgres.prepared import Prepared
from adapters.postgres.statements import Statements
from domain.sessions.refresh_token import RefreshToken
from domain.sessions.session import Session
from domain.sessions.token_family import TokenFamily

_TOKENS = RefreshTokenModel.__table__
_SESSIONS = SessionModel.__table__
_USERS = UserModel.__table__
_PREFIX = "token_"
_PREFIXED = [column.label(_PREFIX + column.name) for column in _TOKENS.c]


class PostgresRefreshTokenRepository:
    """`RefreshTokenRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, token: RefreshToken) -> None:
        await self._statements.write(insert(RefreshTokenModel), _to_row(token))

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken, session: Session) -> None:
        await self._statements.write_prepared(
            _ROTATE,
            session=session.id,
            old_version=session.version,
            used_at=session.last_used_at,
            rotated=rotated.digest,
            at=rotated.rotated_at,
            answer=rotated.sealed_answer,
            successor=successor.digest,
            new_generation=successor.generation,
            successor_at=successor.issued_at,
        )
        session.version += 1

    async def find_family(self, digest: bytes) -> TokenFamily | None:
        row = await self._statements.prepared_row(_FIND_FAMILY, digest=digest)
        if row is None:
            return None
        return TokenFamily(token=_from_row(row), session=sessions.from_row(row), user=users.from_row(row))

    async def find(self, digest: bytes) -> RefreshToken | None:
        return await self._statements.find(select(*_PREFIXED).where(_TOKENS.c.digest == digest), _from_row)


_FIND_FAMILY = Prepared(
    select(_USERS, *sessions.PREFIXED, *_PREFIXED)
    .join_from(_TOKENS, _SESSIONS)
    .join(_USERS)
    .where(_TOKENS.c.digest == bindparam("digest"))
)

# All of it or nothing, and nothing where the session has moved on. Whoever waits for its row looks at it anew.
_moved = (
    update(SessionModel)
    .where(_SESSIONS.c.id == bindparam("session"), _SESSIONS.c.version == bindparam("old_version"))
    .values(version=_SESSIONS.c.version + 1, generation=bindparam("new_generation"), last_used_at=bindparam("used_at"))
    .returning(_SESSIONS.c.id)
    .cte("moved")
)
_is_rotated = _TOKENS.c.digest == bindparam("rotated")
_answers = (
    update(RefreshTokenModel)
    .where(_TOKENS.c.session_id == _moved.c.id, or_(_is_rotated, _TOKENS.c.sealed_answer.is_not(None)))
    .values(
        rotated_at=case((_is_rotated, bindparam("at", type_=_TOKENS.c.rotated_at.type)), else_=_TOKENS.c.rotated_at),
        sealed_answer=case((_is_rotated, bindparam("answer", type_=_TOKENS.c.sealed_answer.type)), else_=null()),
    )
    .returning(_TOKENS.c.digest)
    .cte("answers")
)
_ROTATE = Prepared(
    insert(RefreshTokenModel)
    .from_select(
        ["digest", "session_id", "generation", "issued_at"],
        select(
            bindparam("successor", type_=_TOKENS.c.digest.type),
            _moved.c.id,
            bindparam("new_generation", type_=_TOKENS.c.generation.type),
            bindparam("successor_at", type_=_TOKENS.c.issued_at.type),
        ),
    )
    .add_cte(_answers)
    .returning(_TOKENS.c.digest)
)


def _to_row(token: RefreshToken) -> dict[str, object]:
    return {
        "digest": token.digest,
        "session_id": token.session_id,
        "generation": token.generation,
        "issued_at": token.issued_at,
        "rotated_at": token.rotated_at,
        "sealed_answer": token.sealed_answer,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> RefreshToken:
    return RefreshToken(
        digest=row.token_digest,
        session_id=row.token_session_id,
        generation=row.token_generation,
        issued_at=row.token_issued_at,
        rotated_at=row.token_rotated_at,
        sealed_answer=row.token_sealed_answer,
    )
