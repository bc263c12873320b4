"""Lifting suspensions whose time is over."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.errors import NotFound

_AT_ONCE = 100


class LiftSuspensions:
    """Write down that users may come in again. They may from the very moment on; this only says so."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many were lifted."""
        lifted = 0
        while True:
            now = self._clock.now()
            async with self._unit_of_work.read() as tx:
                over = await tx.users.over_suspended(at=now, limit=_AT_ONCE)
            for user_id in over:
                try:
                    async with self._unit_of_work.begin() as tx:
                        user = await tx.users.lock(user_id)
                        if user.suspension is None or user.suspension.holds(at=now):
                            # Another was faster, in whatever it did.
                            continue
                        user.reinstate(at=now)
                        await tx.users.save(user)
                except NotFound:
                    continue
                lifted += 1
            if len(over) < _AT_ONCE:
                return lifted
