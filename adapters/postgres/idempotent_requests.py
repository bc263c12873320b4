"""Requests with an idempotency key, in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row

from adapters.postgres.models import IdempotentRequestModel
from adapters.postgres.statements import Statements
from domain.idempotency.idempotent_request import IdempotencyInFlight, IdempotencyPolicy, IdempotentRequest, Once
from domain.ids import UserId

_REQUESTS = IdempotentRequestModel.__table__
_OF_THE_CLAIM = {"claim_id", "claimed_at"}


class PostgresIdempotentRequestRepository:
    """`IdempotentRequestRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def find(self, digest: bytes) -> IdempotentRequest | None:
        return await self._statements.find(select(_REQUESTS).where(_REQUESTS.c.digest == digest), _from_row)

    async def claim(self, request: IdempotentRequest, policy: IdempotencyPolicy) -> IdempotentRequest | None:
        at = request.claimed_at
        is_over = _REQUESTS.c.expires_at <= at
        abandoned = and_(_REQUESTS.c.sealed_answer.is_(None), _REQUESTS.c.claimed_at <= at - policy.claimed_for)
        inserted = insert(IdempotentRequestModel).values(_to_row(request))
        # One that is over is as good as new; of one that was left half-way stays what was done.
        anew = {
            name: inserted.excluded[name]
            if name in _OF_THE_CLAIM
            else case((is_over, inserted.excluded[name]), else_=_REQUESTS.c[name])
            for name in _to_row(request)
        }
        statement = inserted.on_conflict_do_update(
            index_elements=[_REQUESTS.c.digest], set_=anew, where=or_(is_over, abandoned)
        )
        return await self._statements.find(statement.returning(_REQUESTS), _from_row)

    async def note_act(self, once: Once, user_id: UserId | None, *, at: datetime) -> None:
        done = update(IdempotentRequestModel).where(_claimed(once)).values(acted_at=at, user_id=user_id)
        await self._statements.write_one(done, otherwise=IdempotencyInFlight)

    async def answer(self, once: Once, sealed_answer: str) -> None:
        answered = update(IdempotentRequestModel).where(_claimed(once)).values(sealed_answer=sealed_answer)
        await self._statements.write(answered)

    async def release(self, once: Once) -> None:
        undone = _claimed(once) & _REQUESTS.c.acted_at.is_(None)
        await self._statements.write(delete(IdempotentRequestModel).where(undone))

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        is_over = _REQUESTS.c.expires_at < expired_before
        # Asked again of each as it is locked: a key that is used anew is no longer over.
        return await self._statements.delete_some(IdempotentRequestModel, is_over, limit, by=_REQUESTS.c.expires_at)


def _claimed(once: Once) -> ColumnElement[bool]:
    return and_(_REQUESTS.c.digest == once.digest, _REQUESTS.c.claim_id == once.claim_id)


def _to_row(request: IdempotentRequest) -> dict[str, object]:
    return {
        "digest": request.digest,
        "claim_id": request.claim_id,
        "claimed_at": request.claimed_at,
        "expires_at": request.expires_at,
        "sealed_request": request.sealed_request,
        "acted_at": request.acted_at,
        "user_id": request.user_id,
        "sealed_answer": request.sealed_answer,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> IdempotentRequest:
    return IdempotentRequest(
        digest=row.digest,
        claim_id=row.claim_id,
        claimed_at=row.claimed_at,
        expires_at=row.expires_at,
        sealed_request=row.sealed_request,
        acted_at=row.acted_at,
        user_id=row.user_id,
        sealed_answer=row.sealed_answer,
    )
