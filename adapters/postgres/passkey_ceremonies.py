"""What passkeys were asked, in PostgreSQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.dialects.postgresql import insert
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
        row = _to_row(ceremony)
        added = insert(PasskeyCeremonyModel).values(row)
        # One a purpose for each session or half sign-in: nobody piles them up. Those of strangers are bound to nothing.
        aim = [_CEREMONIES.c.purpose, _CEREMONIES.c.bound_to]
        await self._statements.write(added.on_conflict_do_update(index_elements=aim, set_=row))

    async def find_good(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        return await self._statements.find(
            select(_CEREMONIES).where(_is_good(ceremony_id, purpose, bound_to, at)), _from_row
        )

    async def take(
        self, ceremony_id: CeremonyId, *, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
    ) -> PasskeyCeremony | None:
        good = delete(PasskeyCeremonyModel).where(_is_good(ceremony_id, purpose, bound_to, at))
        return await self._statements.find(good.returning(*_CEREMONIES.c), _from_row)

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        expired = _CEREMONIES.c.expires_at < expired_before
        return await self._statements.delete_some(PasskeyCeremonyModel, expired, limit, by=_CEREMONIES.c.expires_at)


def _is_good(
    ceremony_id: CeremonyId, purpose: PasskeyPurpose, bound_to: UUID | None, at: datetime
) -> ColumnElement[bool]:
    return and_(
        _CEREMONIES.c.id == ceremony_id,
        _CEREMONIES.c.purpose == purpose.value,
        _CEREMONIES.c.bound_to.is_not_distinct_from(bound_to),
        _CEREMONIES.c.expires_at > at,
    )


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
