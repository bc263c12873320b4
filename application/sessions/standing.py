"""Whether somebody who has proven who they are may come in."""

from datetime import datetime

from domain.sessions.session import RefusalReason, SessionPolicy
from domain.sessions.sign_in_attempt import Check, Outcome, SignInTrace
from domain.users.user import User


def reason_against(user: User, trace: SignInTrace, policy: SessionPolicy, *, at: datetime) -> RefusalReason | None:
    """The first that there is. What would come after it is not reached."""
    asked = policy.needs_verified_email
    otherwise = Outcome.PROVEN if user.email_verified else Outcome.NOT_ASKED
    for check, against, applies, found, passing in (
        (Check.SUSPENSION, RefusalReason.SUSPENDED, user.is_suspended(at=at), Outcome.IN_FORCE, Outcome.NONE),
        (Check.DELETION, RefusalReason.DELETED, not user.may_come_in(at=at), Outcome.DUE, Outcome.NOT_DUE),
        (Check.MAILBOX, RefusalReason.UNVERIFIED, asked and not user.email_verified, Outcome.UNPROVEN, otherwise),
    ):
        trace.note(check, found if applies else passing)
        if applies:
            return against
    return None
