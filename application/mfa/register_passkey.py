"""Registering a passkey."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.mfa.change_of_factors import end_other_sessions, expect_room, lock_acting
from application.mfa.factor_proof import PasskeyAnswer
from application.mfa.recovery_code_sets import RecoveryCodeSets, keep_first_codes
from application.ports.clock import Clock
from application.ports.passkeys import PasskeyRefused, Passkeys
from application.ports.randomness import Randomness
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import FactorId, SessionId, UserId
from domain.mfa.factor import FactorKind, FactorRefused, MfaPolicy, factor_name
from domain.mfa.passkey import InvalidPasskey, Passkey, PasskeyPublicKey
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose
from domain.mfa.recovery_code import RecoveryCodeSecret

_PURPOSE = PasskeyPurpose.REGISTRATION


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredPasskey:
    """The new passkey; and ten recovery codes for whoever had none, the only time that they are seen."""

    passkey: Passkey
    codes: Sequence[RecoveryCodeSecret]


class RegisterPasskey:
    """Make what a browser has made a passkey of the user's. Every other session ends."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        passkeys: Passkeys,
        codes: RecoveryCodeSets,
        clock: Clock,
        randomness: Randomness,
        policy: MfaPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._passkeys = passkeys
        self._codes = codes
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(
        self, *, user_id: UserId, session_id: SessionId, answer: PasskeyAnswer, name: str | None = None
    ) -> RegisteredPasskey:
        """The passkey. What was asked is good for one answer, right or wrong (PK-01).

        Raises: InvalidPasskey, PasskeyAlreadyRegistered, EmailNotVerified, TooManyFactors, InvalidFields, HashingBusy,
            UserNotFound, SessionNotFound, ConcurrentUpdate.
        """
        called = factor_name(name)
        public, handle = await self._verified(user_id, session_id, answer)
        async with self._unit_of_work.read() as tx:
            has_codes = await tx.recovery_codes.count(user_id) > 0
        made = await self._codes.make(user_id) if not has_codes else None

        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user, session = await lock_acting(tx, user_id, session_id, at=now)
            # Here and not before: whoever has to try again, for we are busy or for room, has a passkey on the device.
            if await self._take(tx, session_id, answer) is None:
                raise InvalidPasskey
            await expect_room(tx, user_id, self._policy)
            passkey = Passkey.register(
                id=FactorId(self._randomness.uuid(at=now)),
                user=user,
                name=called,
                user_handle=handle,
                public=public,
                at=now,
            )
            await tx.passkeys.add(passkey)
            await end_other_sessions(tx, user, session, at=now, proven=passkey.kind)
            await keep_first_codes(tx, user_id, made, at=now)
        return RegisteredPasskey(passkey=passkey, codes=made.shown if made is not None else ())

    async def _verified(
        self, user_id: UserId, session_id: SessionId, answer: PasskeyAnswer
    ) -> tuple[PasskeyPublicKey, bytes]:
        now = self._clock.now()
        async with self._unit_of_work.read() as tx:
            asked = await tx.passkey_ceremonies.find_good(
                answer.ceremony_id, purpose=_PURPOSE, bound_to=session_id, at=now
            )
        if asked is None or asked.user_handle is None:
            raise InvalidPasskey
        try:
            return self._passkeys.verify_creation(answer.answer, challenge=asked.challenge), asked.user_handle
        except PasskeyRefused as refusal:
            # Committed before it is raised: raising inside would roll it back.
            async with self._unit_of_work.begin() as tx:
                if await self._take(tx, session_id, answer) is not None:
                    refused = FactorRefused(
                        user_id=user_id, occurred_at=now, kind=FactorKind.PASSKEY, fault=refusal.reason
                    )
                    await tx.audit.append(refused)
            raise InvalidPasskey from None

    async def _take(self, tx: Transaction, session_id: SessionId, answer: PasskeyAnswer) -> PasskeyCeremony | None:
        return await tx.passkey_ceremonies.take(
            answer.ceremony_id, purpose=_PURPOSE, bound_to=session_id, at=self._clock.now()
        )
