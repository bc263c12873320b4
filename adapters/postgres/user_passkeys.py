"""Users' passkeys in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.engine import Row

from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.models import PasskeyModel
from adapters.postgres.statements import Statements
from application.ports.passkeys import PasskeyProof
from domain.ids import UserId
from domain.mfa.passkey import Passkey, PasskeyPublicKey

_PASSKEYS = PasskeyModel.__table__


class PostgresPasskeyRepository:
    """`PasskeyRepository` on the statements of a block."""

    def __init__(self, statements: Statements, audit: PostgresAuditLog) -> None:
        self._statements = statements
        self._audit = audit

    async def add(self, passkey: Passkey) -> None:
        await self._statements.write(insert(PasskeyModel), _to_row(passkey))
        await self._audit.append_all(passkey.collect_events())

    async def save(self, passkey: Passkey) -> None:
        await self._statements.save(PasskeyModel, passkey, {"name": passkey.name})
        await self._audit.append_all(passkey.collect_events())

    async def remove(self, passkey: Passkey) -> None:
        await self._statements.write(delete(PasskeyModel).where(_PASSKEYS.c.id == passkey.id))
        await self._audit.append_all(passkey.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[Passkey]:
        query = select(_PASSKEYS).where(_PASSKEYS.c.user_id == user_id).order_by(_PASSKEYS.c.id)
        return [_from_row(row) for row in await self._statements.rows(query)]

    async def find(self, credential_id: bytes) -> Passkey | None:
        return await self._statements.find(
            select(_PASSKEYS).where(_PASSKEYS.c.credential_id == credential_id), _from_row
        )

    async def note_use(self, passkey: Passkey, proof: PasskeyProof, *, at: datetime) -> bool:
        as_loaded = (_PASSKEYS.c.id == passkey.id) & (_PASSKEYS.c.sign_count == passkey.public.sign_count)
        told = {"sign_count": proof.sign_count, "backed_up": proof.backed_up, "last_used_at": at}
        return await self._statements.count(update(PasskeyModel).where(as_loaded).values(told)) == 1


def is_there_of(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user has a passkey."""
    return exists().where(_PASSKEYS.c.user_id == user_id)


def _to_row(passkey: Passkey) -> dict[str, object]:
    public = passkey.public
    return {
        "id": passkey.id,
        "version": passkey.version,
        "user_id": passkey.user_id,
        "name": passkey.name,
        "user_handle": passkey.user_handle,
        "credential_id": public.credential_id,
        "public_key": public.public_key,
        "sign_count": public.sign_count,
        "backup_eligible": public.backup_eligible,
        "backed_up": public.backed_up,
        "user_verified": public.user_verified,
        "transports": list(public.transports),
        "aaguid": public.aaguid,
        "created_at": passkey.created_at,
        "last_used_at": passkey.last_used_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> Passkey:
    return Passkey(
        id=row.id,
        version=row.version,
        user_id=row.user_id,
        name=row.name,
        user_handle=row.user_handle,
        public=PasskeyPublicKey(
            credential_id=row.credential_id,
            public_key=row.public_key,
            sign_count=row.sign_count,
            backup_eligible=row.backup_eligible,
            backed_up=row.backed_up,
            user_verified=row.user_verified,
            transports=tuple(row.transports),
            aaguid=row.aaguid,
        ),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
