"""Staying after all."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId


class CancelDeletion:
    """Let a user stay who was to be deleted."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, by: UserId | None = None) -> None:
        """Forget the wish; `by` is the operator, if it is not the user.

        Raises: DeletionNotScheduled, UserNotFound.
        """
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            user.cancel_deletion(at=self._clock.now(), by=by)
            await tx.users.save(user)
