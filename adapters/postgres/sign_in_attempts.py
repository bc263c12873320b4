"""Refused sign-ins in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row

from adapters.postgres.models import SignInAttemptModel
from adapters.postgres.statements import Statements
from domain.ids import UserId
from domain.sessions.sign_in_attempt import Check, Outcome, Reference, SignInAttempt, Step

_ATTEMPTS = SignInAttemptModel.__table__


class PostgresSignInAttemptRepository:
    """`SignInAttemptRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, attempt: SignInAttempt) -> None:
        added = insert(SignInAttemptModel).values(_to_row(attempt))
        await self._statements.write(added.on_conflict_do_nothing(index_elements=[_ATTEMPTS.c.reference]))

    async def find(self, reference: Reference) -> SignInAttempt | None:
        return await self._statements.find(select(_ATTEMPTS).where(_ATTEMPTS.c.reference == reference.text), _from_row)

    async def of_user(self, user_id: UserId) -> Sequence[SignInAttempt]:
        theirs = select(_ATTEMPTS).where(_ATTEMPTS.c.user_id == user_id)
        newest_first = theirs.order_by(_ATTEMPTS.c.occurred_at.desc(), _ATTEMPTS.c.reference.desc())
        return [_from_row(row) for row in await self._statements.rows(newest_first)]

    async def purge(self, *, occurred_before: datetime, limit: int) -> int:
        old = _ATTEMPTS.c.occurred_at < occurred_before
        return await self._statements.delete_some(SignInAttemptModel, old, limit, by=_ATTEMPTS.c.occurred_at)


def _to_row(attempt: SignInAttempt) -> dict[str, object]:
    return {
        "reference": attempt.reference.text,
        "occurred_at": attempt.occurred_at,
        "user_id": attempt.user_id,
        "request_id": attempt.request_id,
        "network_address": attempt.network_address,
        "steps": [[step.check, step.outcome] for step in attempt.steps],
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> SignInAttempt:
    return SignInAttempt(
        reference=Reference(row.reference),
        occurred_at=row.occurred_at,
        user_id=row.user_id,
        request_id=row.request_id,
        network_address=row.network_address,
        steps=tuple(Step(Check(check), Outcome(outcome)) for check, outcome in row.steps),
    )
