"""Having another password chosen."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.recovery.recovery_events import PasswordResetRequested


class RequestUserPasswordReset:
    """Have a user mailed a link for choosing another password. Operators neither see nor choose one (RC-10)."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self, *, user_id: UserId, by: UserId) -> None:
        """Take the wish down.

        Raises: UserNotFound.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.get(user_id)
            await tx.audit.append(
                PasswordResetRequested(
                    user_id=user_id, occurred_at=now, network_address=None, security_epoch=user.security_epoch, by=by
                )
            )
