"""Suspending."""

from datetime import datetime

from application.admin.last_admin import lock_unless_last_admin
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.idempotency.idempotent_request import Once
from domain.ids import UserId
from domain.users.suspension import Suspension


class SuspendUser:
    """Let an operator keep a user out, for a while or until reinstated. Every session of theirs ends."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(
        self,
        *,
        user_id: UserId,
        reason: str,
        until: datetime | None = None,
        by: UserId | None = None,
        once: Once | None = None,
    ) -> Suspension:
        """The suspension, or with `once` the one that an earlier try has made. Without `by`, it is the command line.

        Raises: UserNotFound, AlreadySuspended, LastAdmin, ConcurrentUpdate, InvalidFields, IdempotencyInFlight.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            if once is not None and once.acted:
                made = (await tx.users.get(user_id)).suspension
                if made is None:
                    # Lifted since: to make another one would be to do it twice.
                    raise ConcurrentUpdate
                return made
            user = await lock_unless_last_admin(tx, user_id, at=now)
            suspension = user.suspend(reason=reason, until=until, by=by, at=now)
            await tx.users.save(user)
            if once is not None:
                await tx.idempotent_requests.note_act(once, user_id, at=now)
        return suspension
