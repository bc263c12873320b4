"""Having another password chosen."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.idempotency.idempotent_request import Once
from domain.ids import UserId
from domain.recovery.recovery_events import PasswordResetRequested


class RequestUserPasswordReset:
    """Have a user mailed a link for choosing another password. Operators neither see nor choose one (RC-10).

    Where others may know the one of today it can be discarded: no password opens anything before another one is chosen
    (PW-10). Passkeys do as before; they are taken away one by one.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(
        self, *, user_id: UserId, discard: bool = False, by: UserId | None = None, once: Once | None = None
    ) -> None:
        """Take the wish down, or with `once` leave it at what an earlier try has done.

        Raises: UserNotFound, IdempotencyInFlight.
        """
        if once is not None and once.acted:
            return
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(user_id)
            if discard:
                user.discard_password(at=now, by=by)
                await tx.users.save(user)
            await tx.audit.append(
                PasswordResetRequested(
                    user_id=user_id, occurred_at=now, network_address=None, security_epoch=user.security_epoch, by=by
                )
            )
            if once is not None:
                await tx.idempotent_requests.note_act(once, user_id, at=now)
