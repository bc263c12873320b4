"""Signing in with a passkey."""

from uuid import UUID

from application.mfa.check_passkey import CheckPasskey
from application.mfa.factor_proof import PasskeyAnswer
from application.mfa.held_resets import keep_factors
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.known_devices import KnownDevices
from application.sessions.open_session import OpenSession
from application.sessions.refused_sign_ins import RefusedSignIns
from application.sessions.standing import outcome_of_device, reason_against
from application.throttling.guess_budget import GuessBudget, WrongPasskey
from domain.mfa.passkey import InvalidPasskey, Passkey
from domain.mfa.passkey_ceremony import PasskeyPurpose
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device, RefusalReason, SessionPolicy
from domain.sessions.sign_in_attempt import Check, Outcome, SignInTrace
from domain.throttling.throttle import Throttled
from domain.users.user import User, UserNotFound

# Somebody has the device, and was verified by it: two factors of different kinds.
_METHODS = (AuthenticationMethod.POSSESSION_OF_KEY, AuthenticationMethod.MULTIPLE_FACTORS)


class SignInWithPasskey:
    """Open a session for whoever has a passkey and was verified by it: that is two factors at once (AAL2)."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        check_passkey: CheckPasskey,
        known_devices: KnownDevices,
        guesses: GuessBudget,
        refused: RefusedSignIns,
        open_session: OpenSession,
        clock: Clock,
        policy: SessionPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._check_passkey = check_passkey
        self._known_devices = known_devices
        self._guesses = guesses
        self._refused = refused
        self._open_session = open_session
        self._clock = clock
        self._policy = policy

    async def execute(
        self,
        *,
        answer: PasskeyAnswer,
        device: Device,
        device_token: str | None = None,
        strangers_wait: Throttled | None = None,
        request_id: UUID | None = None,
    ) -> IssuedTokens:
        """The new session. Every refusal looks the same; why it happened is written down, as at other sign-ins.

        With `strangers_wait`, devices that are not known are refused with it.

        Raises: InvalidPasskey, Throttled.
        """
        trace = SignInTrace(network_address=device.network_address, request_id=request_id)
        trace.note(Check.NETWORK_LIMIT, Outcome.LEFT if strangers_wait is None else Outcome.USED_UP)
        if strangers_wait is not None and not self._known_devices.is_token(device_token):
            # Before anything is looked up: refusals that cost nothing must not tell anything either.
            raise await self._refused.at_the_door(strangers_wait, trace)
        answered = await self._check_passkey.find(answer, purpose=PasskeyPurpose.SIGN_IN)
        # Before the passkey is checked: one that is taken away after this moves the security epoch, and the session
        # would begin in the old one, and be dead.
        user = await self._owner(answered.passkey) if answered is not None and answered.passkey is not None else None
        known = self._known_devices.recognise(device_token, of=user)
        if strangers_wait is not None and known is None:
            raise await self._refused.at_the_door(strangers_wait, trace)
        if answered is None:
            # Nothing is written down: whoever makes ceremonies up must not fill the log.
            raise InvalidPasskey
        trace.note(Check.DEVICE, outcome_of_device(known, device_token))
        trace.user_id = user.id if user is not None else None

        fault = await self._check_passkey.fault_of(answered, owner=trace.user_id)
        trace.note(Check.PASSKEY, Outcome.RIGHT if fault is None else Outcome.WRONG)
        if user is None or fault is not None:
            if user is not None and not await self._guesses.is_worth_noting(WrongPasskey(user.id)):
                raise InvalidPasskey
            raise await self._refused.wrong_passkey(trace, RefusalReason.WRONG_PASSKEY, fault=fault)
        reason = reason_against(user, trace, self._policy, at=self._clock.now())
        if reason is not None:
            raise await self._refused.wrong_passkey(trace, reason)
        # What is used is not lost.
        await keep_factors(self._unit_of_work, user.id, at=self._clock.now())
        try:
            return await self._open_session.execute(
                user=user, methods=_METHODS, device=device, known=known.device_id if known is not None else None
            )
        except UserNotFound:
            raise InvalidPasskey from None

    async def _owner(self, passkey: Passkey) -> User | None:
        try:
            async with self._unit_of_work.read() as tx:
                return await tx.users.get(passkey.user_id)
        except UserNotFound:
            return None
