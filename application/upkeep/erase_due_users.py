"""Erasing who asked for it."""

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.errors import NotFound
from domain.ids import UserId
from domain.users.user_events import UserErased

_AT_ONCE = 100


class EraseDueUsers:
    """Erase the users whose grace period is over, and all that belongs to them (PR-02).

    What remains are audit entries that say what happened to an id, and nothing of a person. The address is free, and
    whoever registers it is somebody new (PR-03).
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many were erased."""
        erased = 0
        while due := await self._due():
            erased += sum([await self._erase(user_id) for user_id in due])
        return erased

    async def _due(self) -> list[UserId]:
        async with self._unit_of_work.read() as tx:
            return list(await tx.users.due_for_erasure(at=self._clock.now(), limit=_AT_ONCE))

    async def _erase(self, user_id: UserId) -> bool:
        now = self._clock.now()
        try:
            async with self._unit_of_work.begin() as tx:
                user = await tx.users.lock(user_id)
                if user.deletion_due_at is None or user.deletion_due_at > now:
                    # Cancelled at the last moment.
                    return False
                await tx.audit.append(UserErased(user_id=user_id, occurred_at=now))
                await tx.audit.forget(user_id)
                await tx.users.remove(user_id)
        except NotFound:
            # Another worker was faster.
            return False
        return True
