"""Beginning to register a passkey."""

from application.mfa.change_of_factors import expect_room, lock_acting
from application.mfa.passkey_ceremonies import AskedPasskey, PasskeyCeremonies
from application.ports.clock import Clock
from application.ports.passkeys import Passkeys
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.ids import SessionId, UserId
from domain.mfa.factor import MfaPolicy, expect_proven_address
from domain.mfa.passkey import HANDLE_BYTES
from domain.mfa.passkey_ceremony import PasskeyPurpose


class OfferPasskey:
    """Have a user's browser make a passkey."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        passkeys: Passkeys,
        ceremonies: PasskeyCeremonies,
        clock: Clock,
        randomness: Randomness,
        policy: MfaPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._passkeys = passkeys
        self._ceremonies = ceremonies
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(self, *, user_id: UserId, session_id: SessionId) -> AskedPasskey:
        """What to ask of the browser. What this session asked before is good for nothing from then on.

        Raises: EmailNotVerified, TooManyFactors, UserNotFound, SessionNotFound, ConcurrentUpdate.
        """
        async with self._unit_of_work.begin() as tx:
            user, _ = await lock_acting(tx, user_id, session_id, at=self._clock.now())
            expect_proven_address(user)
            await expect_room(tx, user_id, self._policy)
            present = await tx.passkeys.of_user(user_id)
            # All passkeys of a user have one handle: else an authenticator would show as many accounts.
            handle = present[0].user_handle if present else self._randomness.secret(HANDLE_BYTES)
            ceremony = self._ceremonies.begin(
                PasskeyPurpose.REGISTRATION, user_id=user_id, bound_to=session_id, user_handle=handle
            )
            await tx.passkey_ceremonies.add(ceremony)
        options = self._passkeys.creation_options(
            challenge=ceremony.challenge,
            user_handle=handle,
            name=user.email.display,
            display_name=user.display_name or user.email.display,
            exclude=[passkey.public for passkey in present],
        )
        return AskedPasskey(ceremony_id=ceremony.id, options=options)
