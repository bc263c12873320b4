"""Outgoing mail, as operators see it."""

from typing import Self
from uuid import UUID

from pydantic import Field

from adapters.http.schemas.base import NextCursor, ResponseSchema, Timestamp, examples
from domain.messages.message import Message, MessageKind, MessageState


class MessageResponse(ResponseSchema):
    """A message. What it says is between us and its recipient."""

    model_config = examples(
        {
            "id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "kind": "verify_email",
            "user_id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "recipient": "ada@example.com",
            "state": "dead",
            "attempts": 1,
            "last_error": "550 no such mailbox",
            "good_until": "2026-02-01T12:00:00.000000Z",
            "created_at": "2026-01-31T12:00:00.000000Z",
            "updated_at": "2026-01-31T12:00:05.000000Z",
        }
    )

    id: UUID
    kind: MessageKind = Field(description="There may be more of them than you know.")
    user_id: UUID
    recipient: str
    state: MessageState
    attempts: int
    last_error: str | None
    good_until: Timestamp | None = Field(description="When its link expires; it is not sent after that.")
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls(
            id=message.id,
            kind=message.kind,
            user_id=message.user_id,
            recipient=message.recipient.display,
            state=message.state,
            attempts=message.attempts,
            last_error=message.last_error,
            good_until=message.good_until,
            created_at=message.created_at,
            updated_at=message.updated_at,
        )


class MessageList(ResponseSchema):
    """A page of messages."""

    items: list[MessageResponse]
    next_cursor: NextCursor
