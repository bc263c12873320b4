"""Reinstating."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId


class ReinstateUser:
    """Let an operator let a suspended user in again. What ended with the suspension stays over."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, by: UserId | None = None) -> None:
        """Reinstate them. Without `by`, it is an operator at the command line.

        Raises: UserNotFound, NotSuspended.
        """
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            user.reinstate(at=self._clock.now(), by=by)
            await tx.users.save(user)
