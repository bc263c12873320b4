"""What every change of somebody's second factors has in common."""

from datetime import datetime

from application.mfa.user_factors import active_factors_of
from application.ports.unit_of_work import Transaction
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId, UserId
from domain.mfa.factor import FactorKind, MfaPolicy, TooManyFactors
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


async def expect_room(tx: Transaction, user_id: UserId, policy: MfaPolicy) -> None:
    """Make sure that the user may have another factor. With the user locked.

    Raises: TooManyFactors.
    """
    if len(await active_factors_of(tx, user_id)) >= policy.most_factors:
        raise TooManyFactors


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
