"""What passkeys were asked, in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, insert
from sqlalchemy.engine import Row

from adapters.postgres.models import PasskeyCeremonyModel
from adapters.postgres.statements import Statements
from domain.ids import CeremonyId
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose

_CEREMONIES = PasskeyCeremonyModel.__table__


class PostgresPasskeyCeremonyRepository:
    """`PasskeyCeremonyRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, ceremony: PasskeyCeremony) -> None:
        if ceremony.bound_to is not None:
            of_before = delete(PasskeyCeremonyModel).where(_is_for(ceremony.purpose, ceremony.bound_to))
            await self._statements.write(of_before)
        await self._statements.write(insert(PasskeyCeremonyModel), _to_row(ceremony))

    async def take(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        good = and_(_CEREMONIES.c.id == ceremony_id, _is_for(purpose, bound_to), _CEREMONIES.c.expires_at > at)
        row = await self._statements.row(delete(PasskeyCeremonyModel).where(good).returning(*_CEREMONIES.c))
        return _from_row(row) if row is not None else None

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        expired = _CEREMONIES.c.expires_at < expired_before
        return await self._statements.delete_some(PasskeyCeremonyModel, expired, limit)


def _is_for(purpose: PasskeyPurpose, bound_to: UUID | None) -> ColumnElement[bool]:
    same_end = _CEREMONIES.c.bound_to == bound_to if bound_to is not None else _CEREMONIES.c.bound_to.is_(None)
    return and_(same_end, _CEREMONIES.c.purpose == purpose.value)


def _to_row(ceremony: PasskeyCeremony) -> dict[str, object]:
    return {
        "id": ceremony.id,
        "purpose": ceremony.purpose.value,
        "challenge": ceremony.challenge,
        "expires_at": ceremony.expires_at,
        "user_id": ceremony.user_id,
        "bound_to": ceremony.bound_to,
        "user_handle": ceremony.user_handle,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> PasskeyCeremony:
    return PasskeyCeremony(
        id=row.id,
        purpose=PasskeyPurpose(row.purpose),
        challenge=row.challenge,
        expires_at=row.expires_at,
        user_id=row.user_id,
        bound_to=row.bound_to,
        user_handle=row.user_handle,
    )
