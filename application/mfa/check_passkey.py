"""Checking passkeys."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.mfa.factor_proof import PasskeyAnswer
from application.ports.clock import Clock
from application.ports.passkeys import PasskeyFault, PasskeyProof, PasskeyRefused, Passkeys
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import UserId
from domain.mfa.factor import FactorUsed
from domain.mfa.passkey import Passkey, PasskeyCopySuspected
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose

_SIGNS_OF_A_COPY = {PasskeyFault.BACKUP_CHANGED, PasskeyFault.COUNTER}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPasskey:
    """What was asked, what was answered, and the passkey that this says it is of, if there is such a one."""

    asked: PasskeyCeremony
    answer: PasskeyAnswer
    passkey: Passkey | None


class CheckPasskey:
    """Tell whether somebody has a user's passkey. What was asked is good for one answer, right or wrong (PK-01)."""

    def __init__(self, unit_of_work: UnitOfWork, passkeys: Passkeys, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._passkeys = passkeys
        self._clock = clock

    async def find(
        self, answer: PasskeyAnswer, *, purpose: PasskeyPurpose, bound_to: UUID | None = None
    ) -> AnsweredPasskey | None:
        """What there is to check; None where nothing of the kind was asked. Nothing is used up yet."""
        credential_id = self._passkeys.credential_id(answer.answer)
        async with self._unit_of_work.read() as tx:
            asked = await tx.passkey_ceremonies.find_good(
                answer.ceremony_id, purpose=purpose, bound_to=bound_to, at=self._clock.now()
            )
            if asked is None:
                return None
            passkey = await tx.passkeys.find(credential_id) if credential_id is not None else None
        return AnsweredPasskey(asked=asked, answer=answer, passkey=passkey)

    async def fault_of(self, answered: AnsweredPasskey, *, owner: UserId | None) -> PasskeyFault | None:
        """What is wrong with it; None if it is the owner's passkey. Without an owner, it is nobody's.

        What was asked is used up in the transaction that notes what came of it: of all who answer at once, one counts.
        """
        now, passkey = self._clock.now(), answered.passkey
        verdict: PasskeyProof | PasskeyFault = PasskeyFault.OTHER_PASSKEY
        if passkey is not None and passkey.user_id == owner:
            verdict = self._verdict(answered, passkey)
        async with self._unit_of_work.begin() as tx:
            asked = answered.asked
            if (
                await tx.passkey_ceremonies.take(asked.id, purpose=asked.purpose, bound_to=asked.bound_to, at=now)
                is None
            ):
                return PasskeyFault.CHALLENGE
            if passkey is not None and isinstance(verdict, PasskeyProof):
                verdict = await _note(tx, passkey, verdict, at=now) or verdict
            if passkey is not None and verdict in _SIGNS_OF_A_COPY:
                await tx.audit.append(
                    PasskeyCopySuspected(
                        user_id=passkey.user_id, occurred_at=now, factor_id=passkey.id, fault=str(verdict)
                    )
                )
        return verdict if isinstance(verdict, PasskeyFault) else None

    def _verdict(self, answered: AnsweredPasskey, passkey: Passkey) -> PasskeyProof | PasskeyFault:
        # Alone it has to be two factors: the holder was verified, now and when the passkey was made (PK-05).
        alone = answered.asked.purpose is PasskeyPurpose.SIGN_IN
        if alone and not passkey.signs_in_alone:
            return PasskeyFault.USER_NOT_VERIFIED
        try:
            return self._passkeys.verify_assertion(
                answered.answer.answer,
                challenge=answered.asked.challenge,
                of=passkey.public,
                user_handle=passkey.user_handle,
                discovered=alone,
                user_verification=alone,
            )
        except PasskeyRefused as refusal:
            return refusal.reason


async def _note(tx: Transaction, passkey: Passkey, proof: PasskeyProof, *, at: datetime) -> PasskeyFault | None:
    if await tx.passkeys.note_use(passkey, proof, at=at):
        used = FactorUsed(user_id=passkey.user_id, occurred_at=at, factor_id=passkey.id, kind=passkey.kind)
        await tx.audit.append(used)
        return None
    is_there = await tx.passkeys.find(passkey.public.credential_id) is not None
    # Another answer with the same count was faster: there are two of it.
    return PasskeyFault.COUNTER if is_there else PasskeyFault.REMOVED
