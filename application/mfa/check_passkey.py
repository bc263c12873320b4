"""Checking passkeys."""

from dataclasses import dataclass
from uuid import UUID

from application.mfa.factor_proof import PasskeyAnswer
from application.ports.clock import Clock
from application.ports.passkeys import PasskeyFault, PasskeyProof, PasskeyRefused, Passkeys
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId
from domain.mfa.factor import FactorUsed
from domain.mfa.passkey import Passkey, PasskeyCopySuspected
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose

_SIGNS_OF_A_COPY = {PasskeyFault.BACKUP_CHANGED, PasskeyFault.COUNTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPasskey:
    """`was_asked` tells whether there was a ceremony to answer in, and `fault` what is wrong with the answer."""

    was_asked: bool
    fault: PasskeyFault | None = None

    @property
    def was_right(self) -> bool:
        """Whether it is the owner's passkey that has answered."""
        return self.was_asked and self.fault is None


class CheckPasskey:
    """Tell whether somebody has a user's passkey. What was asked is good for one answer, right or wrong (PK-01)."""

    def __init__(self, unit_of_work: UnitOfWork, passkeys: Passkeys, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._passkeys = passkeys
        self._clock = clock

    async def execute(
        self, *, owner: UserId | None, answer: PasskeyAnswer, purpose: PasskeyPurpose, bound_to: UUID | None = None
    ) -> CheckedPasskey:
        """Look at the answer; without an owner, it is nobody's passkey.

        To sign in, the holder has to have been verified, now and when the passkey was made (PK-05).
        """
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            asked = await tx.passkey_ceremonies.take(answer.ceremony_id, purpose=purpose, bound_to=bound_to, at=now)
        if asked is None or asked.user_id not in {None, owner}:
            return CheckedPasskey(was_asked=False)
        passkey = await self._find(answer)
        if passkey is None or passkey.user_id != owner:
            return CheckedPasskey(was_asked=True, fault=PasskeyFault.OTHER_PASSKEY)
        try:
            proof = self._verify(asked, answer, passkey)
        except PasskeyRefused as refusal:
            if refusal.reason in _SIGNS_OF_A_COPY:
                suspected = PasskeyCopySuspected(
                    user_id=owner, occurred_at=now, factor_id=passkey.id, fault=refusal.reason.value
                )
                async with self._unit_of_work.begin() as tx:
                    await tx.audit.append(suspected)
            return CheckedPasskey(was_asked=True, fault=refusal.reason)
        async with self._unit_of_work.begin() as tx:
            used = await tx.passkeys.note_use(passkey, proof, at=now)
            if used:
                event = FactorUsed(user_id=owner, occurred_at=now, factor_id=passkey.id, kind=passkey.kind)
                await tx.audit.append(event)
        # Removed meanwhile, or another answer with the same count was faster.
        return CheckedPasskey(was_asked=True, fault=None if used else PasskeyFault.COUNTER)

    async def _find(self, answer: PasskeyAnswer) -> Passkey | None:
        credential_id = self._passkeys.credential_id(answer.answer)
        if credential_id is None:
            return None
        async with self._unit_of_work.read() as tx:
            return await tx.passkeys.find(credential_id)

    def _verify(self, asked: PasskeyCeremony, answer: PasskeyAnswer, passkey: Passkey) -> PasskeyProof:
        alone = asked.purpose is PasskeyPurpose.SIGN_IN
        if alone and not passkey.signs_in_alone:
            raise PasskeyRefused(PasskeyFault.USER_NOT_VERIFIED)
        return self._passkeys.verify_assertion(
            answer.answer,
            challenge=asked.challenge,
            of=passkey.public,
            user_handle=passkey.user_handle,
            discovered=alone,
            user_verification=alone,
        )
