"""Users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base
from adapters.postgres.models.idempotency import IdempotentRequestModel
from adapters.postgres.models.messages import MessageModel
from adapters.postgres.models.recovery import EmailChangeModel, OneTimeTokenModel
from adapters.postgres.models.sessions import SessionModel
from domain.users.email_address import MAX_LENGTH
from domain.users.profile import MAX_DISPLAY_NAME_LENGTH, MAX_LOCALE_LENGTH
from domain.users.suspension import MAX_REASON_LENGTH


class UserModel(Base):
    """One row a user. `email_canonical` decides who is who; `email` is how the person writes it."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint(f"char_length(email_canonical) <= {MAX_LENGTH}", name="email_canonical_length"),
        CheckConstraint(f"char_length(email) <= {MAX_LENGTH}", name="email_length"),
        CheckConstraint(f"char_length(display_name) <= {MAX_DISPLAY_NAME_LENGTH}", name="display_name_length"),
        CheckConstraint(f"char_length(locale) <= {MAX_LOCALE_LENGTH}", name="locale_length"),
        CheckConstraint(f"char_length(suspension_reason) <= {MAX_REASON_LENGTH}", name="suspension_reason_length"),
        Index("ix_users_suspended_until", "suspended_until", postgresql_where=text("suspended_until IS NOT NULL")),
        Index("ix_users_admins", "id", postgresql_where=text("'admin' = ANY (roles)")),
        Index("ix_users_deletion_due_at", "deletion_due_at", postgresql_where=text("deletion_due_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    email: Mapped[str]
    email_canonical: Mapped[str] = mapped_column(unique=True)
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    display_name: Mapped[str | None]
    locale: Mapped[str | None]
    roles: Mapped[list[str]]
    security_epoch: Mapped[int]
    suspended_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]
    suspension_reason: Mapped[str | None]
    deletion_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    sessions: Mapped[list[SessionModel]] = relationship(back_populates="user", lazy="raise")
    one_time_tokens: Mapped[list[OneTimeTokenModel]] = relationship(back_populates="user", lazy="raise")
    email_changes: Mapped[list[EmailChangeModel]] = relationship(back_populates="user", lazy="raise")
    messages: Mapped[list[MessageModel]] = relationship(back_populates="user", lazy="raise")
    idempotent_requests: Mapped[list[IdempotentRequestModel]] = relationship(back_populates="user", lazy="raise")
