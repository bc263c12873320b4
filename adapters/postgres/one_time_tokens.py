"""One-time tokens in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, or_, select, update
from sqlalchemy.engine import Row

from adapters.postgres import users
from adapters.postgres.models import OneTimeTokenModel, UserModel
from adapters.postgres.statements import Statements
from domain.ids import UserId
from domain.recovery.one_time_token import Binding, OneTimeCode, OneTimeToken, Purpose
from domain.users.password import PasswordHash

_TOKENS = OneTimeTokenModel.__table__
_USERS = UserModel.__table__
_BOUND_TO_EPOCH = [purpose.value for purpose in Purpose if purpose.bound_to is Binding.EPOCH]
_BOUND_TO_ADDRESS = [purpose.value for purpose in Purpose if purpose.bound_to is Binding.ADDRESS]


class PostgresOneTimeTokenRepository:
    """`OneTimeTokenRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, token: OneTimeToken) -> None:
        if token.purpose.replaces_older:
            await self.spend(token.user_id, token.purpose, at=token.issued_at)
        await self._statements.write(insert(OneTimeTokenModel), _to_row(token))

    async def has_good(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> bool:
        query = select(_TOKENS.c.id).where(_of(user_id, purpose), _is_good(at)).limit(1)
        return await self._statements.row(query) is not None

    async def find_good(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        return await self._statements.find(select(_TOKENS).where(_is_it(digest, purpose, at)), _from_row)

    async def use(self, digest: bytes, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        used = update(OneTimeTokenModel).where(_is_it(digest, purpose, at)).values(spent_at=at)
        return await self._statements.find(used.returning(*_TOKENS.c), _from_row)

    async def try_code(self, user_id: UserId, purpose: Purpose, *, at: datetime) -> OneTimeToken | None:
        this = and_(
            _of(user_id, purpose), _is_good(at), _TOKENS.c.code_expires_at > at, _TOKENS.c.code_attempts_left > 0
        )
        tried = update(OneTimeTokenModel).where(this).values(code_attempts_left=_TOKENS.c.code_attempts_left - 1)
        return await self._statements.find(tried.returning(*_TOKENS.c), _from_row)

    async def spend(
        self, user_id: UserId, purpose: Purpose, *, at: datetime, issued_from: datetime | None = None
    ) -> None:
        these = and_(_of(user_id, purpose), _TOKENS.c.spent_at.is_(None))
        if issued_from is not None:
            these = and_(these, _TOKENS.c.issued_at >= issued_from)
        await self._statements.write(update(OneTimeTokenModel).where(these).values(spent_at=at))

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        expired = _TOKENS.c.expires_at < expired_before
        return await self._statements.delete_some(OneTimeTokenModel, expired, limit, by=_TOKENS.c.expires_at)


def _of(user_id: UserId, purpose: Purpose) -> ColumnElement[bool]:
    return and_(_TOKENS.c.user_id == user_id, _TOKENS.c.purpose == purpose)


def _is_it(digest: bytes, purpose: Purpose, at: datetime) -> ColumnElement[bool]:
    return and_(_TOKENS.c.digest == digest, _TOKENS.c.purpose == purpose, _is_good(at))


def _is_good(at: datetime) -> ColumnElement[bool]:
    """`OneTimeToken.is_good` in SQL, so that the check and the use are one statement."""
    return and_(
        _TOKENS.c.spent_at.is_(None),
        _TOKENS.c.expires_at > at,
        _USERS.c.id == _TOKENS.c.user_id,
        users.may_come_in(at),
        or_(_TOKENS.c.purpose.not_in(_BOUND_TO_EPOCH), _TOKENS.c.security_epoch == _USERS.c.security_epoch),
        or_(_TOKENS.c.purpose.not_in(_BOUND_TO_ADDRESS), _TOKENS.c.address == _USERS.c.email_canonical),
    )


def _to_row(token: OneTimeToken) -> dict[str, object]:
    code = token.code
    return {
        "id": token.id,
        "user_id": token.user_id,
        "purpose": token.purpose,
        "digest": token.digest,
        "security_epoch": token.security_epoch,
        "address": token.address,
        "issued_at": token.issued_at,
        "expires_at": token.expires_at,
        "spent_at": token.spent_at,
        "code_hash": code.hashed.encoded if code is not None else None,
        "code_expires_at": code.expires_at if code is not None else None,
        "code_attempts_left": code.attempts_left if code is not None else None,
        "email_change_id": token.email_change_id,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> OneTimeToken:
    code = None
    if row.code_hash is not None:
        code = OneTimeCode(
            hashed=PasswordHash(owner=row.user_id, encoded=row.code_hash),
            expires_at=row.code_expires_at,
            attempts_left=row.code_attempts_left,
        )
    return OneTimeToken(
        id=row.id,
        user_id=row.user_id,
        purpose=Purpose(row.purpose),
        digest=row.digest,
        security_epoch=row.security_epoch,
        address=row.address,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        spent_at=row.spent_at,
        code=code,
        email_change_id=row.email_change_id,
    )
