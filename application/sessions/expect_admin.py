"""Asking for an operator."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.rate_limiter import LocalRateLimiter
from application.ports.unit_of_work import UnitOfWork
from domain.sessions.principal import Principal
from domain.throttling.throttle import Limit, Throttle, Throttled
from domain.users.roles import ADMIN, AdminRequired
from domain.users.user_events import AccessDenied

# Whoever goes on knocking does not fill the log.
_WRITTEN_DOWN = Limit(10, timedelta(minutes=10))


class ExpectAdmin:
    """Let only operators go on, and write down who else tried: each user so often, in each process."""

    def __init__(self, unit_of_work: UnitOfWork, limiter: LocalRateLimiter, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._limiter = limiter
        self._clock = clock

    async def execute(self, *, principal: Principal) -> None:
        """Return if the principal has the role admin.

        Raises: AdminRequired.
        """
        if principal.user.is_admin:
            return
        await self._write_down(principal)
        raise AdminRequired

    async def _write_down(self, principal: Principal) -> None:
        now = self._clock.now()
        try:
            await self._limiter.use(Throttle(owner=str(principal.user_id), name="denied", limit=_WRITTEN_DOWN), at=now)
        except Throttled:
            return
        denied = AccessDenied(user_id=principal.user_id, occurred_at=now, session_id=principal.session_id, role=ADMIN)
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(denied)
