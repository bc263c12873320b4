"""Signing keys in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import SigningKeyModel
from adapters.postgres.statements import Statements
from domain.ids import KeyId
from domain.signing.signing_key import KeyState, SigningKey

_KEYS = SigningKeyModel.__table__


class PostgresSigningKeyRepository:
    """`SigningKeyRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, key: SigningKey) -> None:
        await self._statements.write(insert(SigningKeyModel), _to_row(key))
        await self._audit.append_all(key.collect_events())

    async def save(self, key: SigningKey) -> None:
        await self._statements.save(SigningKeyModel, key, _to_row(key))
        await self._audit.append_all(key.collect_events())

    async def lock_all(self) -> Sequence[SigningKey]:
        # Locked in the order of ids, by everybody; handed out in the order of age.
        rows = await self._statements.rows(select(_KEYS).order_by(_KEYS.c.id).with_for_update())
        return sorted((_from_row(row) for row in rows), key=lambda key: (key.created_at, key.id))

    async def all(self) -> Sequence[SigningKey]:
        rows = await self._statements.rows(select(_KEYS).order_by(_KEYS.c.created_at, _KEYS.c.id))
        return [_from_row(row) for row in rows]


def _to_row(key: SigningKey) -> dict[str, object]:
    return {
        "id": key.id,
        "version": key.version,
        "algorithm": key.algorithm,
        "public_key": key.public_key,
        "sealed_private_key": key.sealed_private_key,
        "state": key.state,
        "created_at": key.created_at,
        "state_since": key.state_since,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> SigningKey:
    return SigningKey(
        id=KeyId(row.id),
        version=row.version,
        algorithm=row.algorithm,
        public_key=row.public_key,
        sealed_private_key=row.sealed_private_key,
        state=KeyState(row.state),
        created_at=row.created_at,
        # Absent in rows of the release before.
        state_since=row.state_since or row.created_at,
    )
