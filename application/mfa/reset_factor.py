"""Taking a second factor away from somebody who has lost it."""

from application.mfa.user_factors import factor_of, forget_factor
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import FactorId, UserId
from domain.mfa.factor import FactorNotFound
from domain.users.suspension import checked_reason


class ResetFactor:
    """Let an operator take a second factor away. Every session of the user ends, and they are told."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, factor_id: FactorId, reason: str, by: UserId | None = None) -> None:
        """Take it away; with the last one the recovery codes go too. Without `by`, it is the command line.

        Raises: UserNotFound, FactorNotFound, InvalidFields.
        """
        explanation = checked_reason(reason)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            factor = await factor_of(tx, user_id, factor_id)
            if not factor.is_active:
                # It opens nothing, and waits for nobody but its owner.
                raise FactorNotFound
            factor.remove(at=now, by=by, by_operator=True, explanation=explanation)
            await forget_factor(tx, factor)
            user.enter_new_epoch(at=now)
            await tx.users.save(user)
