"""An authenticator app as a second factor."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from domain.events import Aggregate
from domain.ids import FactorId, UserId
from domain.mfa.factor import (
    MAX_FACTOR_NAME_LENGTH,
    EmailNotVerified,
    FactorAlreadyActive,
    FactorEnrolled,
    FactorEnrolmentBegun,
    FactorKind,
    FactorNotFound,
    FactorRemoved,
    MfaPolicy,
)
from domain.users.profile import shown_name
from domain.users.user import User


@dataclass(slots=True, kw_only=True)
class TotpFactor(Aggregate):
    """A secret that an app and we share. It is no factor before the app has shown a right code (MF-02).

    `last_step` is the newest step whose code was used: neither that nor an older one is good again (MF-03).
    """

    id: FactorId
    user_id: UserId
    name: str | None
    sealed_secret: str = field(repr=False)
    created_at: datetime
    activated_at: datetime | None = None
    last_step: int | None = None
    last_used_at: datetime | None = None

    @classmethod
    def enrol(cls, *, id: FactorId, user: User, name: str | None, sealed_secret: str, at: datetime) -> Self:
        """One that waits for its first code.

        Raises: EmailNotVerified, InvalidFields.
        """
        if not user.email_verified:
            raise EmailNotVerified
        factor = cls(
            id=id,
            user_id=user.id,
            name=shown_name(name, field="name", longest=MAX_FACTOR_NAME_LENGTH) if name is not None else None,
            sealed_secret=sealed_secret,
            created_at=at,
        )
        factor.record(FactorEnrolmentBegun(user_id=user.id, occurred_at=at, factor_id=factor.id, kind=FactorKind.TOTP))
        return factor

    @property
    def is_active(self) -> bool:
        """Whether it counts."""
        return self.activated_at is not None

    def expect_pending(self, *, at: datetime, policy: MfaPolicy) -> None:
        """Make sure that it waits for its first code, and not for too long.

        Raises: FactorAlreadyActive, FactorNotFound.
        """
        if self.is_active:
            raise FactorAlreadyActive
        if at >= self.created_at + policy.enrolment:
            raise FactorNotFound

    def activate(self, *, step: int, at: datetime) -> None:
        """Count from now on. The code that showed it is used up with that."""
        self.activated_at = self.last_used_at = at
        self.last_step = step
        self.record(FactorEnrolled(user_id=self.user_id, occurred_at=at, factor_id=self.id, kind=FactorKind.TOTP))

    def remove(
        self, *, at: datetime, by: UserId | None = None, by_operator: bool = False, explanation: str | None = None
    ) -> None:
        """Say that it goes. `by` is the operator who takes it away; from the command line nobody knows who."""
        if not self.is_active:
            return
        self.record(
            FactorRemoved(
                user_id=self.user_id,
                occurred_at=at,
                factor_id=self.id,
                kind=FactorKind.TOTP,
                by=by,
                by_operator=by_operator,
                explanation=explanation,
            )
        )
