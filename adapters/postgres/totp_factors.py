"""Authenticator apps in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import TotpFactorModel
from adapters.postgres.statements import Statements
from domain.ids import FactorId, UserId
from domain.mfa.totp_factor import TotpFactor

_FACTORS = TotpFactorModel.__table__


class PostgresTotpFactorRepository:
    """`TotpFactorRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, factor: TotpFactor) -> None:
        await self._statements.write(insert(TotpFactorModel), _to_row(factor))
        await self._audit.append_all(factor.collect_events())

    async def save(self, factor: TotpFactor) -> None:
        # Of two numbers the greater one, and of a number and NULL the number.
        last_step = func.greatest(_FACTORS.c.last_step, factor.last_step)
        await self._statements.save(TotpFactorModel, factor, _to_row(factor) | {"last_step": last_step})
        await self._audit.append_all(factor.collect_events())

    async def remove(self, factor: TotpFactor) -> None:
        await self._statements.write(delete(TotpFactorModel).where(_FACTORS.c.id == factor.id))
        await self._audit.append_all(factor.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[TotpFactor]:
        query = select(_FACTORS).where(_FACTORS.c.user_id == user_id).order_by(_FACTORS.c.id)
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def use_step(self, factor_id: FactorId, step: int, *, at: datetime) -> bool:
        unused = and_(
            _FACTORS.c.id == factor_id,
            _FACTORS.c.activated_at.is_not(None),
            or_(_FACTORS.c.last_step.is_(None), _FACTORS.c.last_step < step),
        )
        used = update(TotpFactorModel).where(unused).values(last_step=step, last_used_at=at)
        return await self._statements.count(used) == 1

    async def use_up(self, step: int, *, limit: int) -> int:
        behind = select(_FACTORS.c.id).where(or_(_FACTORS.c.last_step.is_(None), _FACTORS.c.last_step < step))
        some = _FACTORS.c.id.in_(behind.limit(limit))
        return await self._statements.count(update(TotpFactorModel).where(some).values(last_step=step))

    async def purge(self, *, pending_since: datetime, limit: int) -> int:
        old = and_(_FACTORS.c.activated_at.is_(None), _FACTORS.c.created_at < pending_since)
        return await self._statements.delete_some(TotpFactorModel, old, limit, by=_FACTORS.c.created_at)


def is_active_of(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user has an app that counts."""
    return exists().where(_FACTORS.c.user_id == user_id, _FACTORS.c.activated_at.is_not(None))


def _to_row(factor: TotpFactor) -> dict[str, object]:
    return {
        "id": factor.id,
        "version": factor.version,
        "user_id": factor.user_id,
        "name": factor.name,
        "sealed_secret": factor.sealed_secret,
        "created_at": factor.created_at,
        "activated_at": factor.activated_at,
        "last_step": factor.last_step,
        "last_used_at": factor.last_used_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> TotpFactor:
    return TotpFactor(
        id=row.id,
        version=row.version,
        user_id=row.user_id,
        name=row.name,
        sealed_secret=row.sealed_secret,
        created_at=row.created_at,
        activated_at=row.activated_at,
        last_step=row.last_step,
        last_used_at=row.last_used_at,
    )
