"""Erasing without waiting."""

from application.admin.last_admin import lock_unless_last_admin
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.users.erase_user import erase_user
from domain.ids import UserId


class EraseAnyUser:
    """Let an operator erase a user at once, and all that belongs to them (PR-02). Nothing brings them back."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, expected_version: int | None = None, by: UserId | None = None) -> None:
        """Erase them. Without `by`, it is the command line.

        Raises: UserNotFound, StaleVersion, LastAdmin, ConcurrentUpdate.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await lock_unless_last_admin(tx, user_id, at=now)
            if expected_version is not None:
                user.expect_version(expected_version)
            await erase_user(tx, user_id, at=now, by=by)
