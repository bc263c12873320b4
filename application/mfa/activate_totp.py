"""Activating an authenticator app."""

from collections.abc import Sequence

from application.mfa.change_of_factors import end_other_sessions, lock_acting
from application.mfa.recovery_code_sets import RecoveryCodeSets, keep_first_codes
from application.mfa.refused_factors import write_down_refused_factor
from application.mfa.totp_secrets import TotpSecrets
from application.ports.clock import Clock
from application.ports.unit_of_work import Transaction, UnitOfWork
from application.throttling.guess_budget import GuessBudget, SecondFactor
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import FactorKind, FactorNotFound, InvalidFactor, MfaPolicy
from domain.mfa.recovery_code import RecoveryCodeSecret
from domain.mfa.totp import matching_step
from domain.mfa.totp_factor import TotpFactor


class ActivateTotp:
    """Make an app a second factor, once it has shown a right code. Every other session ends."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        secrets: TotpSecrets,
        codes: RecoveryCodeSets,
        guesses: GuessBudget,
        clock: Clock,
        policy: MfaPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._secrets = secrets
        self._codes = codes
        self._guesses = guesses
        self._clock = clock
        self._policy = policy

    async def execute(
        self, *, user_id: UserId, session_id: SessionId, factor_id: FactorId, code: str
    ) -> Sequence[RecoveryCodeSecret]:
        """Ten recovery codes, for whoever has none left; the only time that they are seen.

        Raises: InvalidFactor, FactorNotFound, FactorAlreadyActive, Throttled, ThrottlesUnavailable, HashingBusy,
            UserNotFound, SessionNotFound, ConcurrentUpdate.
        """
        async with self._unit_of_work.read() as tx:
            factor = await _totp_of(tx, user_id, factor_id)
            has_codes = await tx.recovery_codes.count(user_id) > 0
        factor.expect_pending(at=self._clock.now(), policy=self._policy)
        step = await self._checked(factor, code)
        made = await self._codes.make(user_id) if not has_codes else None

        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, session = await lock_acting(tx, user_id, session_id, at=now)
            factor = await _totp_of(tx, user_id, factor_id)
            factor.expect_pending(at=now, policy=self._policy)
            factor.activate(step=step, at=now)
            await tx.totp_factors.save(factor)
            await end_other_sessions(tx, user, session, at=now, proven=FactorKind.TOTP)
            await keep_first_codes(tx, user_id, made, at=now)
        return made.shown if made is not None else ()

    async def _checked(self, factor: TotpFactor, code: str) -> int:
        """The step whose code it is. Guesses count as everywhere: whoever has a session need not have the secret."""
        now, user_id = self._clock.now(), factor.user_id
        async with self._guesses.guess(by=SecondFactor(user_id)) as guess:
            secret = self._secrets.open(factor)
            step = matching_step(secret, code, at=now) if secret is not None else None
            guess.was_right = step is not None
        if step is not None:
            return step
        async with self._unit_of_work.begin() as tx:
            await write_down_refused_factor(
                tx, user_id, FactorKind.TOTP, was_last=guess.was_last, at=now, network_address=None
            )
        raise InvalidFactor


async def _totp_of(tx: Transaction, user_id: UserId, factor_id: FactorId) -> TotpFactor:
    for factor in await tx.totp_factors.of_user(user_id):
        if factor.id == factor_id:
            return factor
    raise FactorNotFound
