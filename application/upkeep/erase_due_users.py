"""Erasing who asked for it."""

import logging

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.users.erase_user import erase_user
from domain.errors import NotFound
from domain.ids import UserId

_AT_ONCE = 100
_log = logging.getLogger(__name__)


class EraseDueUsers:
    """Erase the users whose grace period is over, and all that belongs to them (PR-02).

    What remains are audit entries that say what happened to an id, and nothing of a person. The address is free, and
    whoever registers it is somebody new (PR-03).
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many were erased. One who cannot be is logged, and keeps nobody else."""
        erased = 0
        while due := await self._due():
            done = sum([await self._erase(user_id) for user_id in due])
            if not done:
                break
            erased += done
        return erased

    async def _due(self) -> list[UserId]:
        async with self._unit_of_work.read() as tx:
            return list(await tx.users.due_for_erasure(at=self._clock.now(), limit=_AT_ONCE))

    async def _erase(self, user_id: UserId) -> bool:
        now = self._clock.now()
        try:
            async with self._unit_of_work.begin() as tx:
                user = await tx.users.lock(user_id)
                if not user.is_due(at=now):
                    # Cancelled at the last moment.
                    return False
                await erase_user(tx, user_id, at=now)
        except NotFound:
            # Another worker was faster.
            return False
        except Exception:  # noqa: BLE001  (it is logged, and the others are due as well)
            _log.exception("user %s is due and was not erased", user_id)
            return False
        return True
