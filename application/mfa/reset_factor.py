"""Taking a second factor away from somebody who has lost it."""

from datetime import datetime

from application.mfa.held_resets import held_reset_of
from application.mfa.user_factors import factor_of, forget_factor
from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import FactorId, UserId
from domain.mfa.factor import FactorNotFound, MfaPolicy
from domain.mfa.factor_reset import FactorReset
from domain.users.suspension import checked_reason
from domain.users.user import User


class ResetFactor:
    """Let an operator take a second factor away. Every session of the user ends, and they are told.

    Where resets are held, they are told now and it is done later, unless a second factor of theirs is used before.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: MfaPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(
        self, *, user_id: UserId, factor_id: FactorId, reason: str, by: UserId | None = None
    ) -> datetime | None:
        """When it is taken away; None if it is gone already. Without `by`, it is the command line.

        With the last one the recovery codes go too. Who asks again while it is held changes nothing.

        Raises: UserNotFound, FactorNotFound, InvalidFields.
        """
        explanation = checked_reason(reason)
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            if not self._policy.reset_hold:
                await take_factor_away(tx, user, factor_id, by=by, explanation=explanation, at=now)
                return None
            if not (await factor_of(tx, user_id, factor_id)).is_active:
                raise FactorNotFound
            held = await held_reset_of(tx, user_id, factor_id)
            if held is None:
                held = FactorReset.request(
                    factor_id=factor_id, user=user, reason=explanation, policy=self._policy, at=now, by=by
                )
                await tx.factor_resets.add(held)
            return held.due_at


async def take_factor_away(
    tx: Transaction, user: User, factor_id: FactorId, *, by: UserId | None, explanation: str, at: datetime
) -> None:
    """Do without a factor of a locked user.

    Raises: FactorNotFound.
    """
    factor = await factor_of(tx, user.id, factor_id)
    if not factor.is_active:
        # It opens nothing, and waits for nobody but its owner.
        raise FactorNotFound
    factor.remove(at=at, by=by, by_operator=True, explanation=explanation)
    await forget_factor(tx, factor)
    user.enter_new_epoch(at=at)
    await tx.users.save(user)
