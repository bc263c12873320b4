"""Taking second factors away that were held long enough."""

import logging

from application.mfa.held_resets import held_reset_of
from application.mfa.reset_factor import take_factor_away
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.errors import NotFound
from domain.mfa.factor import FactorNotFound
from domain.mfa.factor_reset import FactorReset

_AT_ONCE = 100
_log = logging.getLogger(__name__)


class CarryOutFactorResets:
    """Do what operators asked for, and nobody objected to by using a second factor."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many were taken away. One that cannot be is logged, and keeps no other."""
        done = 0
        while due := await self._due():
            ended = [await self._end(reset) for reset in due]
            done += ended.count(True)
            if all(how is None for how in ended):
                break
        return done

    async def _due(self) -> list[FactorReset]:
        async with self._unit_of_work.read() as tx:
            return list(await tx.factor_resets.due(at=self._clock.now(), limit=_AT_ONCE))

    async def _end(self, reset: FactorReset) -> bool | None:
        """Whether it was done; None where it is still held, for want of success."""
        try:
            return await self._carry_out(reset)
        except NotFound:
            # Erased meanwhile, and their resets with them.
            return False
        except Exception:  # noqa: BLE001  (it is logged, and the others are due as well)
            _log.exception("factor %s is to be taken away and was not", reset.factor_id)
            return None

    async def _carry_out(self, reset: FactorReset) -> bool:
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user = await tx.users.lock(reset.user_id)
            held = await held_reset_of(tx, user.id, reset.factor_id)
            if held is None or not held.is_due(at=now):
                # A factor was used at the last moment, or another worker was faster.
                return False
            try:
                await take_factor_away(tx, user, held.factor_id, by=held.requested_by, explanation=held.reason, at=now)
            except FactorNotFound:
                # Its owner has done without it.
                await tx.factor_resets.remove(held)
                return False
        return True
