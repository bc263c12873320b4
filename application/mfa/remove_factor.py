"""Removing a second factor."""

from application.mfa.change_of_factors import end_other_sessions, lock_acting
from application.mfa.user_factors import active_factors_of, factor_of, forget_factor
from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import Factor, FactorKind, MfaPolicy
from domain.mfa.passkey import LastWayIn, Passkey
from domain.mfa.requirement import FactorIsRequired
from domain.users.user import User


class RemoveFactor:
    """Let users do without one of their second factors. Every other session ends."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: MfaPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(
        self, *, user_id: UserId, session_id: SessionId, factor_id: FactorId, kind: FactorKind | None = None
    ) -> None:
        """Remove it, if it is of that kind; with the last one the recovery codes go too.

        Raises: FactorNotFound, also for one that is somebody else's (AD-02), FactorIsRequired, LastWayIn, UserNotFound,
            SessionNotFound, ConcurrentUpdate.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, session = await lock_acting(tx, user_id, session_id, at=now)
            factor = await factor_of(tx, user_id, factor_id, kind=kind)
            await _expect_another_way_in(tx, user, without=factor)
            factor.remove(at=now)
            await forget_factor(tx, factor)
            if factor.is_active:
                if self._policy.binds(user) and not await active_factors_of(tx, user_id):
                    raise FactorIsRequired
                await end_other_sessions(tx, user, session, at=now)


async def _expect_another_way_in(tx: Transaction, user: User, *, without: Factor) -> None:
    """A mailbox alone should not have to do for whoever meant to be safer than that (PK-07)."""
    if user.password_hash is not None or not (isinstance(without, Passkey) and without.signs_in_alone):
        return
    others = [passkey for passkey in await tx.passkeys.of_user(user.id) if passkey.id != without.id]
    if not any(passkey.signs_in_alone for passkey in others):
        raise LastWayIn
