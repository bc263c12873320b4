"""Asking for a passkey."""

from collections.abc import Sequence

from application.mfa.passkey_ceremonies import AskedPasskey, PasskeyCeremonies
from application.ports.clock import Clock
from application.ports.passkeys import Passkeys
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.ids import ChallengeId, SessionId, UserId
from domain.mfa.factor import InvalidFactor
from domain.mfa.passkey import NoPasskey, PasskeyPublicKey
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose


class AskForPasskey:
    """Have a browser ask for a passkey: to sign in, as a second factor, or as a new proof of who is signed in.

    To sign in it asks for any, and nobody says who they are: so there is nothing to tell about anybody (PK-08).
    """

    def __init__(
        self, unit_of_work: UnitOfWork, passkeys: Passkeys, ceremonies: PasskeyCeremonies, clock: Clock
    ) -> None:
        self._unit_of_work = unit_of_work
        self._passkeys = passkeys
        self._ceremonies = ceremonies
        self._clock = clock

    async def to_sign_in(self) -> AskedPasskey:
        """For whoever it may be."""
        ceremony = self._ceremonies.begin(PasskeyPurpose.SIGN_IN)
        return await self._keep(ceremony, allow=())

    async def as_second_factor(self, *, challenge_id: ChallengeId) -> AskedPasskey:
        """For somebody whose password was right.

        Raises: InvalidFactor where the challenge is over, or its user has no passkey.
        """
        async with self._unit_of_work.read() as tx:
            challenge = await tx.sign_in_challenges.find_good(challenge_id, at=self._clock.now())
            allow = await _passkeys_of(tx, challenge.user_id) if challenge is not None else ()
        if challenge is None or not allow:
            raise InvalidFactor
        ceremony = self._ceremonies.begin(
            PasskeyPurpose.SECOND_FACTOR, user_id=challenge.user_id, bound_to=challenge_id
        )
        return await self._keep(ceremony, allow=allow)

    async def as_fresh_proof(self, *, user_id: UserId, session_id: SessionId) -> AskedPasskey:
        """For somebody who is signed in.

        Raises: NoPasskey for whoever has no passkey, UserNotFound.
        """
        async with self._unit_of_work.read() as tx:
            allow = await _passkeys_of(tx, user_id)
        if not allow:
            raise NoPasskey
        ceremony = self._ceremonies.begin(PasskeyPurpose.FRESH_PROOF, user_id=user_id, bound_to=session_id)
        return await self._keep(ceremony, allow=allow)

    async def _keep(self, ceremony: PasskeyCeremony, *, allow: Sequence[PasskeyPublicKey]) -> AskedPasskey:
        async with self._unit_of_work.begin() as tx:
            await tx.passkey_ceremonies.add(ceremony)
        options = self._passkeys.request_options(
            challenge=ceremony.challenge,
            allow=allow,
            user_verification=ceremony.purpose is PasskeyPurpose.SIGN_IN,
        )
        return AskedPasskey(ceremony_id=ceremony.id, options=options)


async def _passkeys_of(tx: Transaction, user_id: UserId) -> Sequence[PasskeyPublicKey]:
    return [passkey.public for passkey in await tx.passkeys.of_user(user_id)]
