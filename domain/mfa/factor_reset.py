"""An operator's wish to take a second factor away, while it is held."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from domain.events import Aggregate, Event
from domain.ids import FactorId, UserId
from domain.mfa.factor import MfaPolicy
from domain.users.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorResetRequested(Event):
    """An operator will have a second factor taken away at `due_at`, as of RFC 3339, unless somebody uses one before."""

    name = "factor.reset_requested"
    factor_id: FactorId
    by: UserId | None
    due_at: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorResetCancelled(Event):
    """The user has used a second factor, and so it is not taken away."""

    name = "factor.reset_cancelled"
    is_own_act = True
    factor_id: FactorId


@dataclass(slots=True, kw_only=True)
class FactorReset(Aggregate):
    """A second factor that is to be taken away at `due_at`. Until then it is one as before.

    For as long somebody has to notice who never asked for it: the operator may have been talked to by another. From the
    command line nobody knows who it was that requested it.
    """

    factor_id: FactorId
    user_id: UserId
    requested_by: UserId | None
    reason: str
    requested_at: datetime
    due_at: datetime

    @classmethod
    def request(
        cls, *, factor_id: FactorId, user: User, reason: str, policy: MfaPolicy, at: datetime, by: UserId | None = None
    ) -> Self:
        """One that is held as long as the policy says."""
        reset = cls(
            factor_id=factor_id,
            user_id=user.id,
            requested_by=by,
            reason=reason,
            requested_at=at,
            due_at=at + policy.reset_hold,
        )
        reset.record(
            FactorResetRequested(
                user_id=user.id,
                occurred_at=at,
                factor_id=factor_id,
                by=by,
                due_at=reset.due_at.isoformat(),
                explanation=reason,
            )
        )
        return reset

    def is_due(self, *, at: datetime) -> bool:
        """Whether it has been held long enough."""
        return at >= self.due_at

    def cancel(self, *, at: datetime) -> None:
        """Not be done: whoever uses a second factor has not lost it."""
        self.record(FactorResetCancelled(user_id=self.user_id, occurred_at=at, factor_id=self.factor_id))
