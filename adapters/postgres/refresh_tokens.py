"""Refresh tokens in PostgreSQL."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row

from adapters.postgres import sessions, users
from adapters.postgres.models import RefreshTokenModel, SessionModel, UserModel
from adapters.postgres.statements import Statements
from domain.sessions.refresh_token import RefreshToken
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

    async def rotate(self, rotated: RefreshToken, successor: RefreshToken) -> None:
        older = (_TOKENS.c.session_id == rotated.session_id) & _TOKENS.c.sealed_answer.is_not(None)
        await self._statements.write(update(RefreshTokenModel).where(older).values(sealed_answer=None))
        this = _TOKENS.c.digest == rotated.digest
        await self._statements.write(update(RefreshTokenModel).where(this).values(_to_row(rotated)))
        await self.add(successor)

    async def lock_family(self, digest: bytes) -> TokenFamily | None:
        # Locking both makes PostgreSQL read both again if it had to wait; the user is not locked, since whatever guards
        # the user moves an epoch that the session does not follow.
        query = (
            select(_USERS, *sessions.PREFIXED, *_PREFIXED)
            .join_from(_TOKENS, _SESSIONS)
            .join(_USERS)
            .where(_TOKENS.c.digest == digest)
            .with_for_update(of=[_SESSIONS, _TOKENS])
        )
        row = await self._statements.row(query)
        if row is None:
            return None
        return TokenFamily(token=_from_row(row), session=sessions.from_row(row), user=users.from_row(row))

    async def find(self, digest: bytes) -> RefreshToken | None:
        row = await self._statements.row(select(*_PREFIXED).where(_TOKENS.c.digest == digest))
        return _from_row(row) if row is not None else None


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
