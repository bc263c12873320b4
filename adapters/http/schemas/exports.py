"""What is held about a user."""

from base64 import urlsafe_b64encode
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from adapters.http.schemas.base import ResponseSchema, Timestamp, examples
from adapters.http.schemas.sign_in_attempts import SignInAttemptResponse
from adapters.http.schemas.users import USER_EXAMPLE, UserResponse
from application.users.export_user import UserExport
from domain.audit.audit_entry import AuditEntry
from domain.messages.message import Message
from domain.mfa.factor import Factor
from domain.mfa.passkey import Passkey
from domain.mfa.totp_factor import TotpFactor
from domain.sessions.session import Session
from domain.users.email_change import EmailChange


class ExportedSession(ResponseSchema):
    """A sign-in."""

    id: UUID
    methods: list[str]
    device: str | None
    user_agent: str | None
    network_address: str | None
    authenticated_at: Timestamp
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp
    ended_at: Timestamp | None
    end_reason: str | None

    @classmethod
    def of(cls, session: Session) -> Self:
        return cls(
            id=session.id,
            methods=list(session.methods),
            device=session.device.name,
            user_agent=session.device.user_agent,
            network_address=session.device.network_address,
            authenticated_at=session.authenticated_at,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            ended_at=session.ended_at,
            end_reason=session.end_reason,
        )


class ExportedEmailChange(ResponseSchema):
    """A wish to get mail elsewhere."""

    old_email: str
    new_email: str
    requested_at: Timestamp

    @classmethod
    def of(cls, change: EmailChange) -> Self:
        return cls(old_email=change.old.display, new_email=change.new.display, requested_at=change.requested_at)


class ExportedFactor(ResponseSchema):
    """A second factor; an app that was never activated among them. What follows `last_used_at` is of passkeys alone."""

    id: UUID
    kind: str
    name: str | None
    created_at: Timestamp
    activated_at: Timestamp | None
    last_used_at: Timestamp | None
    credential_id: str | None = None
    public_key: str | None = None
    user_handle: str | None = None
    authenticator: str | None = Field(default=None, description="What its maker calls this kind of device (AAGUID).")
    transports: list[str] | None = None
    backed_up: bool | None = None

    @classmethod
    def of(cls, factor: Factor) -> Self:
        exported = cls(
            id=factor.id,
            kind=factor.kind,
            name=factor.name,
            created_at=factor.created_at,
            activated_at=factor.activated_at if isinstance(factor, TotpFactor) else factor.created_at,
            last_used_at=factor.last_used_at,
        )
        if not isinstance(factor, Passkey):
            return exported
        return exported.model_copy(
            update={
                "credential_id": _base64url(factor.public.credential_id),
                "public_key": _base64url(factor.public.public_key),
                "user_handle": _base64url(factor.user_handle),
                "authenticator": factor.public.aaguid or None,
                "transports": list(factor.public.transports),
                "backed_up": factor.public.backed_up,
            }
        )


class ExportedMessage(ResponseSchema):
    """A mail to the user."""

    kind: str
    recipient: str
    state: str
    created_at: Timestamp

    @classmethod
    def of(cls, message: Message) -> Self:
        recipient = message.recipient.display
        return cls(kind=message.kind, recipient=recipient, state=message.state, created_at=message.created_at)


class ExportedEvent(ResponseSchema):
    """Something that happened."""

    event: str
    occurred_at: Timestamp
    details: dict[str, Any]
    network_address: str | None

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            event=entry.event,
            occurred_at=entry.occurred_at,
            details=dict(entry.details),
            network_address=entry.own_address,
        )


class UserExportResponse(ResponseSchema):
    """Everything that is held about a user, newest first, but for what opens something."""

    model_config = examples(
        {
            "user": USER_EXAMPLE,
            "source_id": None,
            "sessions": [],
            "factors": [],
            "recovery_codes_left": 0,
            "email_changes": [],
            "messages": [
                {
                    "kind": "verify_email",
                    "recipient": "ada@example.com",
                    "state": "sent",
                    "created_at": "2026-01-31T12:00:00.000000Z",
                }
            ],
            "sign_in_attempts": [],
            "history": [
                {
                    "event": "user.registered",
                    "occurred_at": "2026-01-31T12:00:00.000000Z",
                    "details": {"roles": []},
                    "network_address": "192.0.2.7",
                }
            ],
        }
    )

    user: UserResponse
    source_id: str | None = Field(description="What a former system called the user.")
    sessions: list[ExportedSession]
    factors: list[ExportedFactor]
    recovery_codes_left: int
    email_changes: list[ExportedEmailChange]
    messages: list[ExportedMessage]
    sign_in_attempts: list[SignInAttemptResponse]
    history: list[ExportedEvent]

    @classmethod
    def of(cls, export: UserExport) -> Self:
        return cls(
            user=UserResponse.of(export.user),
            source_id=export.user.source_id,
            sessions=[ExportedSession.of(session) for session in export.sessions],
            factors=[ExportedFactor.of(factor) for factor in export.factors],
            recovery_codes_left=export.recovery_codes_left,
            email_changes=[ExportedEmailChange.of(change) for change in export.email_changes],
            messages=[ExportedMessage.of(message) for message in export.messages],
            sign_in_attempts=[SignInAttemptResponse.of(attempt) for attempt in export.sign_in_attempts],
            history=[ExportedEvent.of(entry) for entry in export.history],
        )


def _base64url(content: bytes) -> str:
    """As browsers write it (L3 §3)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()
