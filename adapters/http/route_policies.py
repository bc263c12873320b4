"""What holds for every route: who may call it, how often, and what is written down. The one place (AD-01).

A route that is not here stops the start, and so does one that asks for somebody else than is said here:
`adapters/http/route_checks.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.http.limits import FILE, BodyLimit
from application.throttling.throttle_policy import Rate
from domain.audit.audit_events import AuditRead
from domain.events import Event
from domain.messages.message import MessageRetried
from domain.mfa.factor import FactorEnrolled, FactorEnrolmentBegun, FactorRemoved, FactorRenamed
from domain.mfa.recovery_code import RecoveryCodesMade
from domain.recovery.recovery_events import EmailVerificationRequested, PasswordResetRequested
from domain.sessions.session import SessionEnded, SessionReauthenticated, SessionStarted
from domain.sessions.sign_in_attempt import SignInAttemptOpened
from domain.signing.signing_key import SigningKeyActivated
from domain.throttling.throttle_events import ThrottlesCleared
from domain.transfer.transfer_events import UserImportStarted, UsersExported
from domain.users.email_change import EmailChanged, EmailChangeRequested, EmailChangeReverted
from domain.users.user_events import (
    DeletionCancelled,
    DeletionScheduled,
    EmailVerified,
    PasswordChanged,
    PasswordReset,
    UserProfileUpdated,
    UserRegistered,
    UserReinstated,
    UserRolesChanged,
    UserSuspended,
)


class Access(StrEnum):
    """Who may call."""

    ANYONE = "anyone"
    ANYONE_OR_USER = "anyone, and users as such"
    USER = "user"
    RECENT_USER = "user with a recent proof"
    ADMIN = "admin"
    RECENT_ADMIN = "admin with a recent proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePolicy:
    """What holds for one route.

    `rate` is what its requests count as; None where there is nothing to guess, and nothing that costs more than saying
    no. Where `known_devices_pass`, that is for strangers alone, and the endpoint tells them apart. One that is
    `counted_by_endpoint` does so too, and counts its request with what is guessed in it. A route that
    `reserves_hashing` gets a place in that queue before it is counted and anything else is waited for. Where
    `bounded_in_session` there is something to guess for those who are signed in, and the use case counts it for each
    session: nobody else at the same network uses that up. A route that is open `while_enrolling` is so also to those
    who have to enrol a second factor before anything else (MF-07). `event` is what is written down about its success;
    None where there is nothing to tell. `idempotent` routes take an `Idempotency-Key`. `body` is for routes that take
    more than others.
    """

    access: Access
    rate: Rate | None = None
    event: type[Event] | None = None
    idempotent: bool = False
    known_devices_pass: bool = False
    counted_by_endpoint: bool = False
    reserves_hashing: bool = False
    bounded_in_session: bool = False
    while_enrolling: bool = False
    body: BodyLimit | None = None

    @property
    def is_public(self) -> bool:
        """Whether everybody gets the same answer, which caches may keep."""
        return self.access is Access.ANYONE and self.rate is None

    @property
    def asks_for_factor(self) -> bool:
        """Whether those are refused who have to enrol a second factor first."""
        return self.access not in {Access.ANYONE, Access.ANYONE_OR_USER} and not self.while_enrolling

    @property
    def is_bounded(self) -> bool:
        """Whether it may be answered with 429."""
        return self.rate is not None or self.bounded_in_session


_OPEN = RoutePolicy(access=Access.ANYONE)
_READ = RoutePolicy(access=Access.USER)

ROUTE_POLICIES: Mapping[str, RoutePolicy] = {
    "register_user": RoutePolicy(access=Access.ANYONE, rate=Rate.REGISTRATION, event=UserRegistered, idempotent=True),
    "get_me": _READ,
    "update_me": RoutePolicy(access=Access.USER, event=UserProfileUpdated),
    "change_password": RoutePolicy(access=Access.USER, bounded_in_session=True, event=PasswordChanged),
    "reauthenticate": RoutePolicy(
        access=Access.USER, bounded_in_session=True, while_enrolling=True, event=SessionReauthenticated
    ),
    "list_security_events": _READ,
    "delete_me": RoutePolicy(access=Access.RECENT_USER, event=DeletionScheduled),
    "cancel_deletion": RoutePolicy(access=Access.USER, event=DeletionCancelled),
    "get_export": RoutePolicy(access=Access.RECENT_USER),
    "sign_in": RoutePolicy(
        access=Access.ANYONE,
        rate=Rate.CREDENTIALS,
        counted_by_endpoint=True,
        reserves_hashing=True,
        event=SessionStarted,
    ),
    "answer_challenge": RoutePolicy(
        access=Access.ANYONE, rate=Rate.CREDENTIALS, known_devices_pass=True, event=SessionStarted
    ),
    "list_factors": RoutePolicy(access=Access.USER, while_enrolling=True),
    "enrol_totp": RoutePolicy(access=Access.RECENT_USER, while_enrolling=True, event=FactorEnrolmentBegun),
    "activate_totp": RoutePolicy(
        access=Access.RECENT_USER, bounded_in_session=True, while_enrolling=True, event=FactorEnrolled
    ),
    "remove_factor": RoutePolicy(access=Access.RECENT_USER, event=FactorRemoved),
    "make_recovery_codes": RoutePolicy(access=Access.RECENT_USER, event=RecoveryCodesMade),
    "ask_for_passkey": RoutePolicy(access=Access.ANYONE, rate=Rate.PASSKEY_OPTIONS),
    "sign_in_with_passkey": RoutePolicy(
        access=Access.ANYONE, rate=Rate.CREDENTIALS, known_devices_pass=True, event=SessionStarted
    ),
    "ask_for_passkey_proof": _READ,
    "offer_passkey": RoutePolicy(access=Access.RECENT_USER, while_enrolling=True),
    "register_passkey": RoutePolicy(access=Access.RECENT_USER, event=FactorEnrolled, while_enrolling=True),
    "rename_passkey": RoutePolicy(access=Access.RECENT_USER, event=FactorRenamed),
    "remove_passkey": RoutePolicy(access=Access.RECENT_USER, event=FactorRemoved),
    "refresh_session": RoutePolicy(access=Access.ANYONE, rate=Rate.REFRESH),
    "list_sessions": _READ,
    "get_current_session": RoutePolicy(access=Access.USER, while_enrolling=True),
    "sign_out": RoutePolicy(access=Access.USER, while_enrolling=True, event=SessionEnded),
    "end_session": RoutePolicy(access=Access.USER, event=SessionEnded),
    "end_other_sessions": RoutePolicy(access=Access.USER, event=SessionEnded),
    "introspect_token": RoutePolicy(access=Access.ADMIN),
    "list_users": RoutePolicy(access=Access.ADMIN),
    "create_user": RoutePolicy(access=Access.RECENT_ADMIN, event=UserRegistered, idempotent=True),
    "change_user": RoutePolicy(access=Access.RECENT_ADMIN, event=UserRolesChanged),
    "delete_user": RoutePolicy(access=Access.RECENT_ADMIN, event=DeletionScheduled),
    "cancel_user_deletion": RoutePolicy(access=Access.RECENT_ADMIN, event=DeletionCancelled),
    "list_messages": RoutePolicy(access=Access.ADMIN),
    "retry_message": RoutePolicy(access=Access.RECENT_ADMIN, event=MessageRetried, idempotent=True),
    "list_signing_keys": RoutePolicy(access=Access.ADMIN),
    "rotate_signing_key": RoutePolicy(access=Access.RECENT_ADMIN, event=SigningKeyActivated, idempotent=True),
    "look_up_user": RoutePolicy(access=Access.ADMIN),
    "get_user": RoutePolicy(access=Access.ADMIN),
    "list_user_sessions": RoutePolicy(access=Access.ADMIN),
    "suspend_user": RoutePolicy(access=Access.RECENT_ADMIN, event=UserSuspended, idempotent=True),
    "reinstate_user": RoutePolicy(access=Access.RECENT_ADMIN, event=UserReinstated),
    "end_user_sessions": RoutePolicy(access=Access.RECENT_ADMIN, event=SessionEnded),
    "end_any_session": RoutePolicy(access=Access.RECENT_ADMIN, event=SessionEnded),
    "request_user_password_reset": RoutePolicy(
        access=Access.RECENT_ADMIN, event=PasswordResetRequested, idempotent=True
    ),
    "get_sign_in_attempt": RoutePolicy(access=Access.ADMIN, event=SignInAttemptOpened),
    "clear_throttles": RoutePolicy(access=Access.RECENT_ADMIN, event=ThrottlesCleared),
    "list_user_factors": RoutePolicy(access=Access.ADMIN),
    "reset_factor": RoutePolicy(access=Access.RECENT_ADMIN, event=FactorRemoved),
    "list_audit_entries": RoutePolicy(access=Access.ADMIN, event=AuditRead),
    "list_audit_checkpoints": RoutePolicy(access=Access.ADMIN),
    "verify_audit_log": RoutePolicy(access=Access.ADMIN),
    "import_users": RoutePolicy(access=Access.RECENT_ADMIN, event=UserImportStarted, body=FILE),
    "list_imports": RoutePolicy(access=Access.ADMIN),
    "get_import": RoutePolicy(access=Access.ADMIN),
    "list_import_rows": RoutePolicy(access=Access.ADMIN),
    "get_users_export": RoutePolicy(access=Access.RECENT_ADMIN, event=UsersExported),
    "request_email_verification": RoutePolicy(
        access=Access.ANYONE, rate=Rate.MAIL, event=EmailVerificationRequested, idempotent=True
    ),
    "verify_email": RoutePolicy(access=Access.ANYONE_OR_USER, rate=Rate.CREDENTIALS, event=EmailVerified),
    "request_password_reset": RoutePolicy(
        access=Access.ANYONE, rate=Rate.MAIL, event=PasswordResetRequested, idempotent=True
    ),
    "reset_password": RoutePolicy(access=Access.ANYONE, rate=Rate.CREDENTIALS, event=PasswordReset),
    "request_email_change": RoutePolicy(
        access=Access.RECENT_USER, rate=Rate.MAIL, event=EmailChangeRequested, idempotent=True
    ),
    "confirm_email_change": RoutePolicy(access=Access.ANYONE, rate=Rate.CREDENTIALS, event=EmailChanged),
    "revert_email_change": RoutePolicy(access=Access.ANYONE, rate=Rate.CREDENTIALS, event=EmailChangeReverted),
    "get_config": _OPEN,
    "get_jwks": _OPEN,
    "show_change_password": _OPEN,
    "get_liveness": _OPEN,
    "get_readiness": _OPEN,
    "show_link": _OPEN,
    "show_problem": _OPEN,
    # In development alone.
    "openapi": _OPEN,
    "swagger_ui_html": _OPEN,
    "show_mailbox": _OPEN,
    "list_mails": _OPEN,
    "show_mail": _OPEN,
    "show_mail_html": _OPEN,
}
"""By the route's name, which is the operationId."""
