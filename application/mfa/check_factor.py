"""Checking second factors."""

from dataclasses import dataclass
from uuid import UUID

from application.mfa.check_passkey import CheckPasskey
from application.mfa.factor_proof import CodeProof, FactorProof, PasskeyAnswer
from application.mfa.held_resets import keep_factors
from application.mfa.totp_secrets import TotpSecrets
from application.ports.clock import Clock
from application.ports.passkeys import PasskeyFault
from application.ports.password_hasher import PasswordHasher
from application.ports.unit_of_work import UnitOfWork
from application.throttling.guess_budget import GuessBudget, SecondFactor, WrongPasskey
from domain.ids import UserId
from domain.mfa.factor import FactorKind, FactorUsed
from domain.mfa.passkey_ceremony import PasskeyPurpose
from domain.mfa.recovery_code import RecoveryCodeSecret, RecoveryCodeUsed
from domain.mfa.totp import matching_step
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFactor:
    """Whether the proof was one; `was_last` tells that there is no further guess for now.

    `fault` is what is wrong with the answer of a passkey. What `is_noise` is not worth writing down.
    """

    was_right: bool
    was_last: bool = False
    fault: PasskeyFault | None = None
    is_noise: bool = False


class CheckFactor:
    """Tell whether somebody has a second factor of the user's, and use it up: whatever proves something does so once.

    A guess at a code is spent before anything is looked at, of one budget for each user, whichever way they come
    (MF-05). A passkey cannot be guessed: where others have used that budget up, its owner goes on. A right one ends
    every hold on the user's factors: what is used is not lost.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        secrets: TotpSecrets,
        check_passkey: CheckPasskey,
        passwords: PasswordHasher,
        guesses: GuessBudget,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._secrets = secrets
        self._check_passkey = check_passkey
        self._passwords = passwords
        self._guesses = guesses
        self._clock = clock

    async def execute(
        self, *, user: User, proof: FactorProof, purpose: PasskeyPurpose, bound_to: UUID
    ) -> CheckedFactor:
        """Look at it. Never inside a transaction: hashing takes tens of milliseconds.

        A passkey has to have been asked for that, by the same sign-in or session.

        Raises: Throttled, ThrottlesUnavailable, HashingBusy.
        """
        if isinstance(proof, PasskeyAnswer):
            checked = await self._checked_passkey(user, proof, purpose, bound_to)
        else:
            checked = await self._checked_code(user, proof)
        if checked.was_right:
            # Whichever it was: who has lost one and not all can do without the other by themselves.
            await keep_factors(self._unit_of_work, user.id, at=self._clock.now())
        return checked

    async def _checked_code(self, user: User, proof: CodeProof) -> CheckedFactor:
        async with self._guesses.guess(by=SecondFactor(user.id)) as guess:
            if proof.kind is FactorKind.TOTP:
                guess.was_right = await self._used_totp(user.id, proof.typed)
            else:
                guess.was_right = await self._used_recovery_code(user.id, proof.typed)
        return CheckedFactor(was_right=guess.was_right, was_last=guess.was_last)

    async def _checked_passkey(
        self, user: User, proof: PasskeyAnswer, purpose: PasskeyPurpose, bound_to: UUID
    ) -> CheckedFactor:
        answered = await self._check_passkey.find(proof, purpose=purpose, bound_to=bound_to)
        if answered is None:
            return CheckedFactor(was_right=False, is_noise=True)
        fault = await self._check_passkey.fault_of(answered, owner=user.id)
        if fault is None:
            return CheckedFactor(was_right=True)
        is_noise = not await self._guesses.is_worth_noting(WrongPasskey(user.id))
        return CheckedFactor(was_right=False, fault=fault, is_noise=is_noise)

    async def _used_totp(self, user_id: UserId, typed: str) -> bool:
        now = self._clock.now()
        async with self._unit_of_work.read() as tx:
            factors = await tx.totp_factors.of_user(user_id)
        for factor in factors:
            secret = self._secrets.open(factor) if factor.is_active else None
            step = matching_step(secret, typed, at=now, after=factor.last_step) if secret is not None else None
            if step is None:
                continue
            async with self._unit_of_work.begin() as tx:
                used = await tx.totp_factors.use_step(factor.id, step, at=now)
                if used:
                    event = FactorUsed(user_id=user_id, occurred_at=now, factor_id=factor.id, kind=FactorKind.TOTP)
                    await tx.audit.append(event)
            if used:
                return True
        return False

    async def _used_recovery_code(self, user_id: UserId, typed: str) -> bool:
        secret = RecoveryCodeSecret.parse(typed)
        if secret is None:
            return False
        async with self._unit_of_work.read() as tx:
            code = await tx.recovery_codes.find(user_id, secret.handle)
        if code is None or not await self._passwords.matches(secret.as_password(), code.hashed):
            return False
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            used = await tx.recovery_codes.use(code, at=now)
            if used:
                left = await tx.recovery_codes.count(user_id)
                await tx.audit.append(RecoveryCodeUsed(user_id=user_id, occurred_at=now, left=left))
        return used
