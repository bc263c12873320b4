"""Asking for another password."""

from application.ports.clock import Clock
from application.ports.email_parser import EmailParser
from application.ports.unit_of_work import UnitOfWork
from application.throttling.throttle_all import ThrottleAll
from domain.idempotency.idempotent_request import Once
from domain.recovery.recovery_events import PasswordResetRequested


class RequestPasswordReset:
    """Have a link mailed to whoever has an address, if anybody has.

    For every address the same is done here: one look, and one event. What differs is done later, by a worker (LG-03).
    """

    def __init__(self, unit_of_work: UnitOfWork, emails: EmailParser, throttle: ThrottleAll, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._throttle = throttle
        self._emails = emails
        self._clock = clock

    async def execute(self, *, email: str, network_address: str | None = None, once: Once | None = None) -> None:
        """Take the wish down, or with `once` leave it at what an earlier try has done.

        Raises: InvalidFields for what is no address; Throttled, ThrottlesUnavailable, IdempotencyInFlight.
        """
        address = self._emails.parse(email)
        if once is not None and once.acted:
            return
        await self._throttle.mail()
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.find_by_email(address)
            await tx.audit.append(
                PasswordResetRequested(
                    user_id=user.id if user is not None else None,
                    occurred_at=now,
                    network_address=network_address,
                    security_epoch=user.security_epoch if user is not None else None,
                )
            )
            if once is not None:
                await tx.idempotent_requests.note_act(once, user.id if user is not None else None, at=now)
