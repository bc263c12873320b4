"""Mails of the development mailbox."""

from typing import Self
from uuid import UUID

from adapters.http.schemas.base import ResponseSchema, Timestamp
from application.ports.mailbox import ReceivedMail


class MailResponse(ResponseSchema):
    """A mail as it would have arrived."""

    id: UUID
    recipient: str
    subject: str
    text: str
    html: str
    received_at: Timestamp

    @classmethod
    def of(cls, mail: ReceivedMail) -> Self:
        return cls(
            id=mail.id,
            recipient=mail.recipient,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            received_at=mail.received_at,
        )


class MailboxResponse(ResponseSchema):
    """Newest first."""

    items: list[MailResponse]
