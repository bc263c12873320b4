"""Refresh tokens in PostgreSQL."""

from sqlalchemy import insert, select

from adapters.postgres.models import RefreshTokenModel
from adapters.postgres.statements import Statements
from domain.sessions.refresh_token import RefreshToken

_TOKENS = RefreshTokenModel.__table__


class PostgresRefreshTokenRepository:
    """`RefreshTokenRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, token: RefreshToken) -> None:
        row = {
            "digest": token.digest,
            "session_id": token.session_id,
            "generation": token.generation,
            "issued_at": token.issued_at,
        }
        await self._statements.write(insert(RefreshTokenModel), row)

    async def find(self, digest: bytes) -> RefreshToken | None:
        row = await self._statements.row(select(_TOKENS).where(_TOKENS.c.digest == digest))
        if row is None:
            return None
        return RefreshToken(
            digest=row.digest, session_id=row.session_id, generation=row.generation, issued_at=row.issued_at
        )
