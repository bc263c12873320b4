"""Asking for a second factor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.unit_of_work import UnitOfWork
from domain.ids import ChallengeId, DeviceId
from domain.mfa.factor import FactorKind, MfaPolicy
from domain.mfa.sign_in_challenge import SignInChallenge, SignInChallengePosed
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorRequired:
    """What somebody is told whose password was right, and who has a second factor: with which kinds they go on."""

    challenge_id: ChallengeId
    kinds: Sequence[FactorKind]
    expires_in: timedelta


class AskForFactor:
    """Have whoever showed the first factor show a second one, if the user has any."""

    def __init__(self, unit_of_work: UnitOfWork, clock: Clock, randomness: Randomness, policy: MfaPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(
        self,
        *,
        user: User,
        kinds: frozenset[FactorKind],
        methods: tuple[AuthenticationMethod, ...],
        device: Device,
        known: DeviceId | None,
    ) -> FactorRequired | None:
        """The challenge; None for a user without factors.

        Their `kinds` were read with the user: whoever gets their first one since has moved the security epoch, and no
        session begins in the old one.

        Raises: UserNotFound where they have been erased meanwhile.
        """
        if not kinds:
            return None
        async with self._unit_of_work.read() as tx:
            if await tx.recovery_codes.count(user.id) > 0:
                kinds |= {FactorKind.RECOVERY_CODE}
        now = self._clock.now()
        challenge = SignInChallenge.pose(
            id=ChallengeId(self._randomness.uuid(at=now)),
            user=user,
            methods=methods,
            device=device,
            known_device=known,
            policy=self._policy,
            at=now,
        )
        async with self._unit_of_work.begin() as tx:
            await tx.sign_in_challenges.add(challenge)
            await tx.audit.append(SignInChallengePosed(user_id=user.id, occurred_at=now))
        in_order = tuple(kind for kind in FactorKind if kind in kinds)
        return FactorRequired(challenge_id=challenge.id, kinds=in_order, expires_in=self._policy.challenge)
