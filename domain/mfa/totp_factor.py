"""An authenticator app as a second factor."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self

from domain.ids import FactorId
from domain.mfa.factor import (
    Factor,
    FactorAlreadyActive,
    FactorEnrolled,
    FactorEnrolmentBegun,
    FactorKind,
    FactorNotFound,
    MfaPolicy,
    expect_proven_address,
    factor_name,
)
from domain.users.user import User


@dataclass(slots=True, kw_only=True)
class TotpFactor(Factor):
    """A secret that an app and we share. It is no factor before the app has shown a right code (MF-02).

    `last_step` is the newest step whose code was used: neither that nor an older one is good again (MF-03).
    """

    kind: ClassVar[FactorKind] = FactorKind.TOTP

    sealed_secret: str = field(repr=False)
    activated_at: datetime | None = None
    last_step: int | None = None

    @classmethod
    def enrol(cls, *, id: FactorId, user: User, name: str | None, sealed_secret: str, at: datetime) -> Self:
        """One that waits for its first code.

        Raises: EmailNotVerified, InvalidFields.
        """
        expect_proven_address(user)
        factor = cls(
            id=id,
            user_id=user.id,
            name=factor_name(name),
            sealed_secret=sealed_secret,
            created_at=at,
        )
        factor.record(FactorEnrolmentBegun(user_id=user.id, occurred_at=at, factor_id=factor.id, kind=cls.kind))
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
        self.record(FactorEnrolled(user_id=self.user_id, occurred_at=at, factor_id=self.id, kind=self.kind))
