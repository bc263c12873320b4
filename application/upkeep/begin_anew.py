"""Going on after a backup was restored."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.upkeep.in_batches import BATCH, in_batches
from domain.mfa.totp import step_at
from domain.upkeep_events import BackupRestored

# Longer than anything lives that expires.
_ALL = timedelta(days=3_650)


class BeginAnew:
    """See to it that nothing works again that was used up since the backup was made, which is the database now.

    Nobody can tell what was used since: so whatever is good once goes. Every session ends, links and codes that were
    mailed, half sign-ins and recovery codes are forgotten, and present codes of apps are used up. Passwords, apps and
    passkeys are as they were then. Users sign in again, and make new recovery codes.
    """

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def execute(self) -> Mapping[str, int]:
        """How many of what are gone, or used up. May be repeated, and goes on where it was interrupted."""
        now = self._clock.now()
        # The next step too: clocks of apps are ahead now and then.
        step = step_at(now) + 1
        forgotten: Mapping[str, Callable[[Transaction], Awaitable[int]]] = {
            "sessions": lambda tx: tx.sessions.purge(over_since=now + _ALL, limit=BATCH),
            "one_time_tokens": lambda tx: tx.one_time_tokens.purge(expired_before=now + _ALL, limit=BATCH),
            "sign_in_challenges": lambda tx: tx.sign_in_challenges.purge(expired_before=now + _ALL, limit=BATCH),
            "passkey_ceremonies": lambda tx: tx.passkey_ceremonies.purge(expired_before=now + _ALL, limit=BATCH),
            "idempotent_requests": lambda tx: tx.idempotent_requests.purge(expired_before=now + _ALL, limit=BATCH),
            "recovery_codes": lambda tx: tx.recovery_codes.forget_some(limit=BATCH),
            "totp_steps": lambda tx: tx.totp_factors.use_up(step, limit=BATCH),
        }
        found = {name: await in_batches(self._unit_of_work, forget) for name, forget in forgotten.items()}
        async with self._unit_of_work.begin() as tx:
            await tx.audit.append(BackupRestored(user_id=None, occurred_at=now))
        return found
