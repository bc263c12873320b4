"""What is decided about a sign-in, however somebody proves who they are."""

from datetime import datetime

from application.throttling.guess_budget import FormerDevice, KnownDevice
from domain.sessions.session import RefusalReason, SessionPolicy
from domain.sessions.sign_in_attempt import Check, Outcome, SignInTrace
from domain.users.user import User


def outcome_of_device(device: KnownDevice | FormerDevice | None, token: str | None) -> Outcome:
    """What is known of the device that has this token."""
    match device:
        case KnownDevice():
            return Outcome.KNOWN
        case FormerDevice():
            return Outcome.FORMER
    return Outcome.NONE if token is None else Outcome.STRANGER


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
