"""Which messages follow from what."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.audit.audit_entry import AuditEntry
from domain.ids import EmailChangeId
from domain.messages.message import MessageKind
from domain.mfa.factor import FactorEnrolled, FactorGuessesUsedUp, FactorKind, FactorRemoved
from domain.mfa.factor_reset import FactorResetCancelled, FactorResetRequested
from domain.mfa.passkey import PasskeyCopySuspected
from domain.mfa.recovery_code import RecoveryCodesMade, RecoveryCodeUsed
from domain.recovery.one_time_token import Purpose
from domain.recovery.recovery_events import EmailVerificationRequested, PasswordResetRequested, RegistrationRepeated
from domain.sessions.session import NewDeviceSeen, Session, TokenReuseDetected
from domain.users.email_address import EmailAddress
from domain.users.email_change import EmailChange, EmailChanged, EmailChangeRequested, EmailChangeReverted
from domain.users.user import User
from domain.users.user_events import (
    DeletionScheduled,
    EmailVerified,
    PasswordChanged,
    PasswordReset,
    UserEmailSet,
    UserInvited,
    UserRegistered,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """An event, and those it is about as they are now. Session and change are there where the event names them.

    `is_last_change` is whether the user has asked for no other change since; `new_address_is_taken` whether another
    user has the new address, proven or not. `passkey_name` is that of the passkey that the event is about.
    """

    entry: AuditEntry
    user: User
    session: Session | None = None
    change: EmailChange | None = None
    is_last_change: bool = True
    new_address_is_taken: bool = False
    passkey_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message to be: about what, to whom, and with a token for which purpose. `content` is what else it says."""

    kind: MessageKind
    recipient: EmailAddress
    purpose: Purpose | None = None
    with_code: bool = False
    change_id: EmailChangeId | None = None
    content: Mapping[str, str] = field(default_factory=dict)


def drafts_of(fact: Fact) -> Iterable[Draft]:
    """The messages that follow, perhaps none."""
    draft = DRAFTERS.get(fact.entry.event)
    return draft(fact) if draft is not None else ()


def readable(moment: datetime) -> str:
    """A moment as mails show it, in every language."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _verification(fact: Fact) -> Iterable[Draft]:
    if not fact.user.email_verified:
        yield Draft(
            kind=MessageKind.VERIFY_EMAIL,
            recipient=fact.user.email,
            purpose=Purpose.VERIFY_EMAIL,
            with_code=True,
        )


def _verification_of_new(fact: Fact) -> Iterable[Draft]:
    # Whoever has no password is invited, and proves the mailbox by choosing one.
    return _verification(fact) if fact.user.password_hash is not None else ()


def _invitation(fact: Fact) -> Iterable[Draft]:
    if fact.user.password_hash is None:
        yield Draft(kind=MessageKind.INVITATION, recipient=fact.user.email, purpose=Purpose.ACCEPT_INVITATION)


def _email_set(fact: Fact) -> Iterable[Draft]:
    # Without a way back: whoever has that mailbox may be why an operator had to do it.
    if fact.change is not None and fact.change.concerns_old_mailbox:
        content = {"at": readable(fact.entry.occurred_at)}
        yield Draft(kind=MessageKind.EMAIL_SET, recipient=fact.change.old, content=content)
    yield from _verification(fact)


def _reset(fact: Fact) -> Iterable[Draft]:
    if fact.entry.details.get("security_epoch") == fact.user.security_epoch:
        yield Draft(kind=MessageKind.RESET_PASSWORD, recipient=fact.user.email, purpose=Purpose.RESET_PASSWORD)


def _choose(fact: Fact) -> Iterable[Draft]:
    # Whoever proved the mailbox has no password now, and should not have to find out by trying.
    if fact.user.password_hash is None:
        yield Draft(kind=MessageKind.CHOOSE_PASSWORD, recipient=fact.user.email, purpose=Purpose.RESET_PASSWORD)


def _choose_if_discarded(fact: Fact) -> Iterable[Draft]:
    return _choose(fact) if fact.entry.details.get("discarded") else ()


def _notice(kind: MessageKind) -> Callable[[Fact], Iterable[Draft]]:
    def draft(fact: Fact) -> Iterable[Draft]:
        yield Draft(kind=kind, recipient=fact.user.email, content={"at": readable(fact.entry.occurred_at)})

    return draft


def _already_registered(fact: Fact) -> Iterable[Draft]:
    if not fact.user.email_verified:
        # Whoever registers again may never have seen the first mail, and cannot sign in without it.
        yield from _verification(fact)
    else:
        yield Draft(kind=MessageKind.ALREADY_REGISTERED, recipient=fact.user.email)


def _email_change_requested(fact: Fact) -> Iterable[Draft]:
    change, user = fact.change, fact.user
    if (
        change is not None
        and fact.is_last_change
        and not fact.new_address_is_taken
        and change.may_be_confirmed(security_epoch=user.security_epoch, email_verified=user.email_verified)
    ):
        yield Draft(
            kind=MessageKind.CONFIRM_EMAIL_CHANGE,
            recipient=change.new,
            purpose=Purpose.CONFIRM_EMAIL_CHANGE,
            change_id=change.id,
        )
    yield from _to_the_old_mailbox(fact, MessageKind.EMAIL_CHANGE_REQUESTED)


def _email_changed(fact: Fact) -> Iterable[Draft]:
    return _to_the_old_mailbox(fact, MessageKind.EMAIL_CHANGED)


def _to_the_old_mailbox(fact: Fact, kind: MessageKind) -> Iterable[Draft]:
    if fact.change is not None and fact.change.concerns_old_mailbox:
        yield Draft(
            kind=kind,
            recipient=fact.change.old,
            purpose=Purpose.REVERT_EMAIL_CHANGE,
            change_id=fact.change.id,
            content={"at": readable(fact.entry.occurred_at)},
        )


def _new_device(fact: Fact) -> Iterable[Draft]:
    if fact.session is not None:
        content = {
            "at": readable(fact.entry.occurred_at),
            "device": fact.session.device.name or "",
            "network_address": fact.session.device.network_address or "",
        }
        yield Draft(kind=MessageKind.NEW_DEVICE, recipient=fact.user.email, content=content)


def _deletion_scheduled(fact: Fact) -> Iterable[Draft]:
    if fact.user.deletion_due_at is not None:
        content = {"at": readable(fact.entry.occurred_at), "due": readable(fact.user.deletion_due_at)}
        yield Draft(kind=MessageKind.DELETION_SCHEDULED, recipient=fact.user.email, content=content)


def _factor_removed(fact: Fact) -> Iterable[Draft]:
    if fact.entry.details.get("by_operator"):
        return _notice(MessageKind.FACTOR_RESET)(fact)
    return _notice(MessageKind.PASSKEY_REMOVED if _is_passkey(fact) else MessageKind.FACTOR_REMOVED)(fact)


def _factor_enrolled(fact: Fact) -> Iterable[Draft]:
    return _notice(MessageKind.PASSKEY_ADDED if _is_passkey(fact) else MessageKind.FACTOR_ENROLLED)(fact)


def _passkey_copy_suspected(fact: Fact) -> Iterable[Draft]:
    content = {"at": readable(fact.entry.occurred_at), "passkey": fact.passkey_name or ""}
    yield Draft(kind=MessageKind.PASSKEY_COPY_SUSPECTED, recipient=fact.user.email, content=content)


def _is_passkey(fact: Fact) -> bool:
    return fact.entry.details.get("kind") == FactorKind.PASSKEY


def _factor_reset_requested(fact: Fact) -> Iterable[Draft]:
    due_at = datetime.fromisoformat(str(fact.entry.details["due_at"]))
    content = {"at": readable(fact.entry.occurred_at), "due": readable(due_at)}
    yield Draft(kind=MessageKind.FACTOR_RESET_REQUESTED, recipient=fact.user.email, content=content)


def _recovery_codes_made(fact: Fact) -> Iterable[Draft]:
    # The first ones come with a factor, of which the user is told already.
    return _notice(MessageKind.RECOVERY_CODES_MADE)(fact) if fact.entry.details.get("renewed") else ()


def _recovery_code_used(fact: Fact) -> Iterable[Draft]:
    content = {"at": readable(fact.entry.occurred_at), "left": str(fact.entry.details.get("left"))}
    yield Draft(kind=MessageKind.RECOVERY_CODE_USED, recipient=fact.user.email, content=content)


EVENTS_WITH_CODE = frozenset(
    {UserRegistered.name, EmailVerificationRequested.name, RegistrationRepeated.name, UserEmailSet.name}
)
"""Events for which a code is hashed, needed or not: else the work behind an answer would tell who is known (LG-03)."""

DRAFTERS: Mapping[str, Callable[[Fact], Iterable[Draft]]] = {
    UserRegistered.name: _verification_of_new,
    UserInvited.name: _invitation,
    UserEmailSet.name: _email_set,
    EmailVerificationRequested.name: _verification,
    EmailVerified.name: _choose_if_discarded,
    RegistrationRepeated.name: _already_registered,
    PasswordResetRequested.name: _reset,
    PasswordChanged.name: _notice(MessageKind.PASSWORD_CHANGED),
    PasswordReset.name: _notice(MessageKind.PASSWORD_CHANGED),
    EmailChangeRequested.name: _email_change_requested,
    EmailChanged.name: _email_changed,
    EmailChangeReverted.name: _choose,
    NewDeviceSeen.name: _new_device,
    TokenReuseDetected.name: _notice(MessageKind.TOKEN_REUSE_DETECTED),
    DeletionScheduled.name: _deletion_scheduled,
    FactorEnrolled.name: _factor_enrolled,
    FactorRemoved.name: _factor_removed,
    FactorResetRequested.name: _factor_reset_requested,
    FactorResetCancelled.name: _notice(MessageKind.FACTOR_RESET_CANCELLED),
    RecoveryCodesMade.name: _recovery_codes_made,
    RecoveryCodeUsed.name: _recovery_code_used,
    PasskeyCopySuspected.name: _passkey_copy_suspected,
    FactorGuessesUsedUp.name: _notice(MessageKind.FACTOR_GUESSES_USED_UP),
}
"""Every event that a message follows from."""
