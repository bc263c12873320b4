"""Making new recovery codes."""

from collections.abc import Sequence

from application.mfa.change_of_factors import end_other_sessions, lock_acting
from application.mfa.recovery_code_sets import RecoveryCodeSets
from application.mfa.user_factors import active_factors_of
from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import SessionId, UserId
from domain.mfa.factor import NoFactor
from domain.mfa.recovery_code import RecoveryCodeSecret, RecoveryCodesMade


class MakeRecoveryCodes:
    """Give users ten new recovery codes. Those of before are good for nothing, and every other session ends."""

    def __init__(self, unit_of_work: UnitOfWork, codes: RecoveryCodeSets, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._codes = codes
        self._clock = clock

    async def execute(self, *, user_id: UserId, session_id: SessionId) -> Sequence[RecoveryCodeSecret]:
        """The codes; the only time that they are seen.

        Raises: NoFactor, HashingBusy, UserNotFound, SessionNotFound, ConcurrentUpdate.
        """
        async with self._unit_of_work.read() as tx:
            await _expect_factor(tx, user_id)
        made = await self._codes.make(user_id)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, session = await lock_acting(tx, user_id, session_id, at=now)
            await _expect_factor(tx, user_id)
            await tx.recovery_codes.replace(user_id, made.kept)
            await tx.audit.append(RecoveryCodesMade(user_id=user_id, occurred_at=now, renewed=True))
            await end_other_sessions(tx, user, session, at=now)
        return made.shown


async def _expect_factor(tx: Transaction, user_id: UserId) -> None:
    if not await active_factors_of(tx, user_id):
        raise NoFactor
