"""Half sign-ins in PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.engine import Row

from adapters.postgres import users
from adapters.postgres.models import SignInChallengeModel, UserModel
from adapters.postgres.statements import Statements
from domain.ids import ChallengeId
from domain.mfa.sign_in_challenge import SignInChallenge
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device

_CHALLENGES = SignInChallengeModel.__table__
_USERS = UserModel.__table__


class PostgresSignInChallengeRepository:
    """`SignInChallengeRepository` on the statements of a block."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    async def add(self, challenge: SignInChallenge) -> None:
        await self._statements.write(insert(SignInChallengeModel), _to_row(challenge))

    async def find_good(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        return await self._statements.find(select(_CHALLENGES).where(_is_good(challenge_id, at)), _from_row)

    async def finish(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        finished = update(SignInChallengeModel).where(_is_good(challenge_id, at)).values(finished_at=at)
        return await self._statements.find(finished.returning(*_CHALLENGES.c), _from_row)

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        expired = _CHALLENGES.c.expires_at < expired_before
        return await self._statements.delete_some(SignInChallengeModel, expired, limit, by=_CHALLENGES.c.expires_at)


def _is_good(challenge_id: ChallengeId, at: datetime) -> ColumnElement[bool]:
    """`SignInChallenge.is_good` in SQL, so that the check and the use are one statement."""
    return and_(
        _CHALLENGES.c.id == challenge_id,
        _CHALLENGES.c.finished_at.is_(None),
        _CHALLENGES.c.expires_at > at,
        _USERS.c.id == _CHALLENGES.c.user_id,
        _USERS.c.security_epoch == _CHALLENGES.c.security_epoch,
        users.may_come_in(at),
    )


def _to_row(challenge: SignInChallenge) -> dict[str, object]:
    return {
        "id": challenge.id,
        "user_id": challenge.user_id,
        "security_epoch": challenge.security_epoch,
        "methods": list(challenge.methods),
        "user_agent": challenge.device.user_agent,
        "network_address": challenge.device.network_address,
        "known_device": challenge.known_device,
        "created_at": challenge.created_at,
        "expires_at": challenge.expires_at,
        "finished_at": challenge.finished_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> SignInChallenge:
    return SignInChallenge(
        id=row.id,
        user_id=row.user_id,
        security_epoch=row.security_epoch,
        methods=tuple(AuthenticationMethod(method) for method in row.methods),
        device=Device(user_agent=row.user_agent, network_address=row.network_address),
        known_device=row.known_device,
        created_at=row.created_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
    )
