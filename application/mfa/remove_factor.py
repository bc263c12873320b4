"""Removing a second factor."""

from application.mfa.change_of_factors import (
    end_other_sessions,
    factor_of,
    forget_codes_if_no_factor_is_left,
    lock_acting,
)
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import FactorId, SessionId, UserId


class RemoveFactor:
    """Let users do without one of their second factors. Every other session ends."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId, factor_id: FactorId) -> None:
        """Remove it; with the last one the recovery codes go too.

        Raises: FactorNotFound, also for one that is somebody else's (AD-02), UserNotFound, SessionNotFound,
            ConcurrentUpdate.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, session = await lock_acting(tx, user_id, session_id, at=now)
            factor = await factor_of(tx, user_id, factor_id)
            factor.remove(at=now)
            await tx.totp_factors.remove(factor)
            if factor.is_active:
                await forget_codes_if_no_factor_is_left(tx, user_id)
                await end_other_sessions(tx, user, session, at=now)
