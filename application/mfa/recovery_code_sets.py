"""Making recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application.ports.clock import Clock
from application.ports.password_hasher import PasswordHasher
from application.ports.randomness import Randomness
from application.ports.unit_of_work import Transaction
from domain.errors import ConcurrentUpdate
from domain.ids import UserId
from domain.mfa.recovery_code import BYTES_OF_A_SET, RecoveryCode, RecoveryCodeSecret, RecoveryCodesMade


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeSet:
    """Ten codes: as their owner is shown them this once, and as they are kept."""

    shown: Sequence[RecoveryCodeSecret]
    kept: Sequence[RecoveryCode]


async def keep_first_codes(tx: Transaction, user_id: UserId, made: RecoveryCodeSet | None, *, at: datetime) -> None:
    """Keep what was made with a factor for whoever had none left; without, make sure that there are some still.

    Raises: ConcurrentUpdate.
    """
    if made is not None:
        await tx.recovery_codes.replace(user_id, made.kept)
        await tx.audit.append(RecoveryCodesMade(user_id=user_id, occurred_at=at, renewed=False))
    elif await tx.recovery_codes.count(user_id) == 0:
        # The last ones have gone meanwhile, and nobody would be shown new ones.
        raise ConcurrentUpdate


class RecoveryCodeSets:
    """Makes sets of recovery codes."""

    def __init__(self, passwords: PasswordHasher, randomness: Randomness, clock: Clock) -> None:
        self._passwords = passwords
        self._randomness = randomness
        self._clock = clock

    async def make(self, user_id: UserId) -> RecoveryCodeSet:
        """A new set. Never inside a transaction: it takes ten hashes.

        Raises: HashingBusy.
        """
        now = self._clock.now()
        shown = RecoveryCodeSecret.set_of(self._randomness.secret(BYTES_OF_A_SET))
        # One after the other: whoever makes codes must not keep others from signing in.
        kept = [
            RecoveryCode(
                user_id=user_id,
                handle=code.handle,
                hashed=await self._passwords.hash(code.as_password(), owner=user_id),
                made_at=now,
            )
            for code in shown
        ]
        return RecoveryCodeSet(shown=shown, kept=kept)
