"""Recovery codes in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, insert, select, tuple_, update

from adapters.postgres.models import RecoveryCodeModel
from adapters.postgres.statements import Statements
from domain.ids import UserId
from domain.mfa.recovery_code import RecoveryCode
from domain.users.password import PasswordHash

_CODES = RecoveryCodeModel.__table__


class PostgresRecoveryCodeRepository:
    """`RecoveryCodeRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def replace(self, user_id: UserId, codes: Sequence[RecoveryCode]) -> None:
        await self._statements.write(delete(RecoveryCodeModel).where(_CODES.c.user_id == user_id))
        if codes:
            await self._statements.write(insert(RecoveryCodeModel), [_to_row(code) for code in codes])

    async def find(self, user_id: UserId, handle: str) -> RecoveryCode | None:
        this = and_(_CODES.c.user_id == user_id, _CODES.c.handle == handle, _CODES.c.used_at.is_(None))
        row = await self._statements.row(select(_CODES).where(this))
        if row is None:
            return None
        hashed = PasswordHash(owner=row.user_id, encoded=row.code_hash)
        return RecoveryCode(user_id=row.user_id, handle=row.handle, hashed=hashed, made_at=row.made_at)

    async def use(self, code: RecoveryCode, *, at: datetime) -> bool:
        this = and_(
            _CODES.c.user_id == code.user_id,
            _CODES.c.handle == code.handle,
            _CODES.c.code_hash == code.hashed.encoded,
            _CODES.c.used_at.is_(None),
        )
        return await self._statements.count(update(RecoveryCodeModel).where(this).values(used_at=at)) == 1

    async def forget_some(self, *, limit: int) -> int:
        some = select(_CODES.c.user_id, _CODES.c.handle).limit(limit)
        of_them = tuple_(_CODES.c.user_id, _CODES.c.handle).in_(some)
        return await self._statements.count(delete(RecoveryCodeModel).where(of_them))

    async def count(self, user_id: UserId) -> int:
        left = and_(_CODES.c.user_id == user_id, _CODES.c.used_at.is_(None))
        row = await self._statements.row(select(func.count().label("left")).select_from(_CODES).where(left))
        return row.left if row is not None else 0


def _to_row(code: RecoveryCode) -> dict[str, object]:
    return {
        "user_id": code.user_id,
        "handle": code.handle,
        "code_hash": code.hashed.encoded,
        "made_at": code.made_at,
        "used_at": code.used_at,
    }
