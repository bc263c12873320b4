"""Resets of second factors, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import FactorResetModel
from adapters.postgres.statements import Statements
from domain.ids import UserId
from domain.mfa.factor_reset import FactorReset

_RESETS = FactorResetModel.__table__
_IN_ORDER = (_RESETS.c.due_at, _RESETS.c.factor_id)


class PostgresFactorResetRepository:
    """`FactorResetRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, reset: FactorReset) -> None:
        await self._statements.write(insert(FactorResetModel), _to_row(reset))
        await self._audit.append_all(reset.collect_events())

    async def remove(self, reset: FactorReset) -> None:
        await self._statements.write(delete(FactorResetModel).where(_RESETS.c.factor_id == reset.factor_id))
        await self._audit.append_all(reset.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[FactorReset]:
        query = select(_RESETS).where(_RESETS.c.user_id == user_id).order_by(*_IN_ORDER)
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def due(self, *, at: datetime, limit: int) -> Sequence[FactorReset]:
        query = select(_RESETS).where(_RESETS.c.due_at <= at).order_by(*_IN_ORDER).limit(limit)
        return [_from_row(row) for row in await self._statements.rows(query)]


def _to_row(reset: FactorReset) -> dict[str, object]:
    return {
        "factor_id": reset.factor_id,
        "user_id": reset.user_id,
        "requested_by": reset.requested_by,
        "reason": reset.reason,
        "requested_at": reset.requested_at,
        "due_at": reset.due_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> FactorReset:
    return FactorReset(
        factor_id=row.factor_id,
        user_id=row.user_id,
        requested_by=row.requested_by,
        reason=row.reason,
        requested_at=row.requested_at,
        due_at=row.due_at,
    )
