"""Messages, and the mailbox of development."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most, one_of
from domain.messages.message import MAX_ERROR_LENGTH, MessageState
from domain.users.email_address import MAX_LENGTH
from domain.users.profile import MAX_LOCALE_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class MessageModel(Base):
    """One row a message. What it says is sealed, and gone once it is sent."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("event_id", "kind"),
        one_of("state", MessageState),
        at_most("recipient", MAX_LENGTH),
        at_most("recipient_canonical", MAX_LENGTH),
        at_most("locale", MAX_LOCALE_LENGTH),
        at_most("last_error", MAX_ERROR_LENGTH),
        Index("ix_messages_state_id", "state", "id"),
        # Of few, that are looked for among all that were sent.
        Index("ix_messages_waiting", "updated_at", postgresql_where=text("state IN ('queued', 'failed')")),
        Index("ix_messages_recipient_canonical_kind_created_at", "recipient_canonical", "kind", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    event_id: Mapped[UUID]
    kind: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str]
    recipient_canonical: Mapped[str]
    locale: Mapped[str | None]
    sealed_content: Mapped[str | None]
    good_until: Mapped[datetime | None]
    state: Mapped[str]
    attempts: Mapped[int]
    last_error: Mapped[str | None]
    retried_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped["UserModel"] = relationship(back_populates="messages", lazy="raise")
    delivered: Mapped["MailboxModel | None"] = relationship(back_populates="message", lazy="raise")


class MailboxModel(Base):
    """One row a mail that was "sent" without an SMTP server. Stays empty in production."""

    __tablename__ = "mailbox"
    __table_args__ = (at_most("recipient", MAX_LENGTH),)

    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    recipient: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    received_at: Mapped[datetime]

    message: Mapped[MessageModel] = relationship(back_populates="delivered", lazy="raise")
