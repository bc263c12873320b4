"""Showing the second factor."""

from uuid import UUID

from application.mfa.check_factor import CheckFactor
from application.mfa.factor_proof import FactorProof
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.open_session import OpenSession
from application.sessions.refused_sign_ins import RefusedSignIns
from domain.ids import ChallengeId
from domain.mfa.factor import InvalidFactor
from domain.mfa.passkey_ceremony import PasskeyPurpose
from domain.mfa.sign_in_challenge import SignInChallenge
from domain.sessions.authentication_method import with_factor
from domain.sessions.sign_in_attempt import Check, Outcome, SignInTrace
from domain.throttling.throttle import Throttled
from domain.users.user import User, UserNotFound


class AnswerChallenge:
    """Finish a sign-in whose first factor was right.

    Whose it is stands in the challenge, and nothing that is sent can say otherwise (MF-06).
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        check_factor: CheckFactor,
        refused: RefusedSignIns,
        open_session: OpenSession,
        clock: Clock,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._check_factor = check_factor
        self._refused = refused
        self._open_session = open_session
        self._clock = clock

    async def execute(
        self,
        *,
        challenge_id: ChallengeId,
        proof: FactorProof,
        network_address: str | None = None,
        strangers_wait: Throttled | None = None,
        request_id: UUID | None = None,
    ) -> IssuedTokens:
        """The new session, at the device where the sign-in began.

        With `strangers_wait`, sign-ins that began on devices that are not known are refused with it (LG-06).

        Every refusal looks the same. A wrong code leaves the challenge good, and is written down for operators to find
        by the reference that the refusal carries.

        Raises: InvalidFactor, Throttled, ThrottlesUnavailable, HashingBusy.
        """
        trace = SignInTrace(network_address=network_address, request_id=request_id)
        trace.note(Check.NETWORK_LIMIT, Outcome.LEFT if strangers_wait is None else Outcome.USED_UP)
        found = await self._find(challenge_id)
        if strangers_wait is not None and (found is None or found[0].known_device is None):
            raise await self._refused.at_the_door(strangers_wait, trace)
        if found is None:
            # Nothing is written down: whoever makes challenges up must not fill the log.
            raise InvalidFactor
        challenge, user = found
        _note_first_step(trace, challenge, user)
        try:
            checked = await self._check_factor.execute(
                user=user, proof=proof, purpose=PasskeyPurpose.SECOND_FACTOR, bound_to=challenge_id
            )
        except Throttled as refusal:
            raise await self._refused.out_of_factor_guesses(refusal, trace) from None
        if checked.is_noise:
            raise InvalidFactor
        if not checked.was_right:
            raise await self._refused.wrong_factor(
                trace, user.id, proof.kind, was_last=checked.was_last, fault=checked.fault
            )
        async with self._unit_of_work.begin() as tx:
            finished = await tx.sign_in_challenges.finish(challenge_id, at=self._clock.now())
        if finished is None:
            # Somebody else was faster, or something that guards the user has changed.
            raise InvalidFactor
        try:
            return await self._open_session.execute(
                user=user,
                methods=with_factor(challenge.methods, proof.kind.method),
                device=challenge.device,
                known=challenge.known_device,
            )
        except UserNotFound:
            raise InvalidFactor from None

    async def _find(self, challenge_id: ChallengeId) -> tuple[SignInChallenge, User] | None:
        try:
            async with self._unit_of_work.read() as tx:
                challenge = await tx.sign_in_challenges.find_good(challenge_id, at=self._clock.now())
                return (challenge, await tx.users.get(challenge.user_id)) if challenge is not None else None
        except UserNotFound:
            return None


def _note_first_step(trace: SignInTrace, challenge: SignInChallenge, user: User) -> None:
    """What was decided when the challenge was posed, or it would not have been."""
    trace.user_id = user.id
    for check, outcome in (
        (Check.ADDRESS, Outcome.KNOWN),
        (Check.DEVICE, Outcome.KNOWN if challenge.known_device is not None else Outcome.NOT_KNOWN),
        (Check.GUESSES, Outcome.LEFT),
        (Check.PASSWORD, Outcome.RIGHT),
        (Check.SUSPENSION, Outcome.NONE),
        (Check.DELETION, Outcome.NOT_DUE),
        (Check.MAILBOX, Outcome.PROVEN if user.email_verified else Outcome.NOT_ASKED),
    ):
        trace.note(check, outcome)
