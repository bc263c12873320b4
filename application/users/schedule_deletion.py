"""Asking to be deleted."""

from application.admin.last_admin import lock_unless_last_admin
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.users.deletion import DeletionPolicy
from domain.users.user import User


class ScheduleDeletion:
    """Have a user erased once the grace period is over.

    Every session ends now; signing in again and cancelling is possible until then.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, policy: DeletionPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._policy = policy

    async def execute(self, *, user_id: UserId, expected_version: int | None = None, by: UserId | None = None) -> User:
        """The user, with the date. Repeating it moves nothing. `expected_version` as at `UpdateProfile`.

        `by` is the operator, if it is not the user.

        Raises: UserNotFound, StaleVersion, LastAdmin.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await lock_unless_last_admin(tx, user_id, at=now)
            if expected_version is not None:
                user.expect_version(expected_version)
            user.schedule_deletion(policy=self._policy, at=now, by=by)
            await tx.users.save(user)
        return user
