"""Half a sign-in: the password was right, and a second factor is asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from domain.events import Event
from domain.ids import ChallengeId, DeviceId, UserId
from domain.mfa.factor import MfaPolicy
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChallengePosed(Event):
    """Somebody knew the password, and is asked for a second factor."""

    name = "sign_in.challenged"
    is_own_act = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInChallenge:
    """What is known after the first factor. It opens nothing: it is good for showing the second, and that once (MF-06).

    `security_epoch` is the user's when the first factor was right: any change of what guards them ends it. `device` and
    `known_device` are where that was, and the session will be there.
    """

    id: ChallengeId
    user_id: UserId
    security_epoch: int
    methods: tuple[AuthenticationMethod, ...]
    device: Device
    known_device: DeviceId | None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None = None

    @classmethod
    def pose(
        cls,
        *,
        id: ChallengeId,
        user: User,
        methods: tuple[AuthenticationMethod, ...],
        device: Device,
        known_device: DeviceId | None,
        policy: MfaPolicy,
        at: datetime,
    ) -> Self:
        """One for a user who has just shown the first factor."""
        return cls(
            id=id,
            user_id=user.id,
            security_epoch=user.security_epoch,
            methods=methods,
            device=device,
            known_device=known_device,
            created_at=at,
            expires_at=at + policy.challenge,
        )

    def is_good(self, *, user: User, at: datetime) -> bool:
        """Whether a second factor can finish it now: the rule of the one statement that does.

        Repositories may state the same rule in their own language; the contract suite holds them to it.
        """
        return (
            self.finished_at is None
            and at < self.expires_at
            and self.security_epoch == user.security_epoch
            and user.may_come_in(at=at)
        )
