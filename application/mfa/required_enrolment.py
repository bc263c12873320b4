"""Users who have to enrol a second factor before they do anything else."""

from datetime import datetime

from application.ports.unit_of_work import Transaction
from domain.mfa.factor import MfaPolicy
from domain.mfa.requirement import FactorEnrolmentRequired
from domain.sessions.principal import Principal
from domain.sessions.session import Session
from domain.users.user import User


class RequiredEnrolment:
    """Tells who still has to enrol (MF-07), from what is so now: no token says it, and none of it is kept (MF-09)."""

    def __init__(self, policy: MfaPolicy) -> None:
        self._policy = policy

    def concerns(self, user: User) -> bool:
        """Whether the user has to have a factor; whether there is one is another question."""
        return self._policy.binds(user)

    def is_due(self, principal: Principal) -> bool:
        """Whether the principal has to enrol before anything else."""
        return self._policy.binds(principal.user) and not principal.has_factors

    def expect_done(self, principal: Principal) -> None:
        """Return if the principal may go on.

        Raises: FactorEnrolmentRequired.
        """
        if self.is_due(principal):
            raise FactorEnrolmentRequired

    async def is_due_in(self, tx: Transaction, session: Session, user: User, *, at: datetime) -> bool:
        """The same for a session that is about to get a token. A statement more, for those alone whom it may concern.

        Session and factors are looked at in one statement: a factor that was enrolled elsewhere meanwhile has ended
        the session, and does not make its token one that services believe.
        """
        if not self.concerns(user):
            return False
        principal = await tx.sessions.find_live(session.id, at=at)
        return principal is None or self.is_due(principal)
