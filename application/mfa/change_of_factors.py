"""What every change of somebody's second factors has in common."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.errors import ConcurrentUpdate
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import FactorKind, FactorNotFound
from domain.mfa.totp_factor import TotpFactor
from domain.sessions.session import Session
from domain.users.user import User


async def lock_acting(tx: Transaction, user_id: UserId, session_id: SessionId, *, at: datetime) -> tuple[User, Session]:
    """The user, and the session through which they act, if it is live still.

    Raises: UserNotFound, SessionNotFound, ConcurrentUpdate.
    """
    user, session = await tx.users.lock(user_id), await tx.sessions.lock(session_id)
    if not session.is_live(user=user, at=at):
        # Following the user into a new epoch would bring it back to life.
        raise ConcurrentUpdate
    return user, session


async def factor_of(tx: Transaction, user_id: UserId, factor_id: FactorId) -> TotpFactor:
    """The factor, if it is the user's.

    Raises: FactorNotFound.
    """
    for factor in await tx.totp_factors.of_user(user_id):
        if factor.id == factor_id:
            return factor
    raise FactorNotFound


async def end_other_sessions(
    tx: Transaction, user: User, session: Session, *, at: datetime, proven: FactorKind | None = None
) -> None:
    """Have every session end but this one, which may just have proven a factor."""
    user.enter_new_epoch(at=at)
    await tx.users.save(user)
    session.carry_on(user)
    if proven is not None:
        session.prove_factor(proven.method, at=at)
    await tx.sessions.save(session)


async def forget_codes_if_no_factor_is_left(tx: Transaction, user_id: UserId) -> None:
    """Recovery codes stand in for a factor: without one they open nothing, and must not wait for the next."""
    if not any(factor.is_active for factor in await tx.totp_factors.of_user(user_id)):
        await tx.recovery_codes.replace(user_id, [])
