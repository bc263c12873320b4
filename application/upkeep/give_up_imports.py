"""Keeping no file for longer than it takes to read it."""

from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.transfer.run_import import FILE_GONE
from domain.ids import UserImportId
from domain.transfer.user_import import ImportNotFound

_LONGEST = timedelta(hours=24)
_AT_ONCE = 100


class GiveUpImports:
    """Forget files that were sent a day ago: those of imports that nobody could finish, and those that broke off."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> int:
        """How many there were."""
        given_up = 0
        while True:
            async with self._unit_of_work.read() as tx:
                old = await tx.user_imports.with_parts_from_before(self._clock.now() - _LONGEST, limit=_AT_ONCE)
            for import_id in old:
                await self._give_up(import_id)
            given_up += len(old)
            if len(old) < _AT_ONCE:
                return given_up

    async def _give_up(self, import_id: UserImportId) -> None:
        async with self._unit_of_work.begin() as tx:
            try:
                user_import = await tx.user_imports.lock(import_id)
            except ImportNotFound:
                pass
            else:
                if not user_import.is_over:
                    user_import.fail(FILE_GONE, at=self._clock.now())
                    await tx.user_imports.save(user_import)
            await tx.user_imports.forget_parts(import_id)
