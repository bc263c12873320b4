"""Renaming a passkey."""

from application.mfa.change_of_factors import lock_acting
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import FactorNotFound
from domain.mfa.passkey import Passkey


class RenamePasskey:
    """Let users call a passkey otherwise."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(
        self, *, user_id: UserId, session_id: SessionId, factor_id: FactorId, name: str | None
    ) -> Passkey:
        """The passkey, renamed.

        Raises: FactorNotFound, also for one that is somebody else's (AD-02), InvalidFields, UserNotFound,
            SessionNotFound, ConcurrentUpdate.
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            await lock_acting(tx, user_id, session_id, at=now)
            own = [passkey for passkey in await tx.passkeys.of_user(user_id) if passkey.id == factor_id]
            if not own:
                raise FactorNotFound
            (passkey,) = own
            passkey.rename(name, at=now)
            await tx.passkeys.save(passkey)
        return passkey
