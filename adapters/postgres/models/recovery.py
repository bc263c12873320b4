"""One-time tokens, and the changes of address that some of them are about."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most, one_of
from domain.recovery.one_time_token import Purpose
from domain.users.email_address import MAX_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class EmailChangeModel(Base):
    """One row a wish to move to another address."""

    __tablename__ = "email_changes"
    __table_args__ = (
        at_most("old_email_canonical", MAX_LENGTH),
        at_most("old_email", MAX_LENGTH),
        at_most("new_email_canonical", MAX_LENGTH),
        at_most("new_email", MAX_LENGTH),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[UUID | None]
    security_epoch: Mapped[int]
    old_email: Mapped[str]
    old_email_canonical: Mapped[str]
    old_is_verified: Mapped[bool]
    new_email: Mapped[str]
    new_email_canonical: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped["UserModel"] = relationship(back_populates="email_changes", lazy="raise")
    tokens: Mapped[list["OneTimeTokenModel"]] = relationship(back_populates="email_change", lazy="raise")


class OneTimeTokenModel(Base):
    """One row a token. The token itself is never stored, only its SHA-256; a code only as a password hash."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        at_most("address", MAX_LENGTH),
        one_of("purpose", Purpose),
        CheckConstraint("code_attempts_left >= 0", name="code_attempts"),
        CheckConstraint(
            "(code_hash IS NULL) = (code_expires_at IS NULL) AND (code_hash IS NULL) = (code_attempts_left IS NULL)",
            name="code_whole",
        ),
        Index("ix_one_time_tokens_user_id_purpose", "user_id", "purpose"),
        # Whoever adds a token has the user locked; were that forgotten, this is where it would be noticed.
        Index(
            "uq_one_time_tokens_unspent",
            "user_id",
            "purpose",
            unique=True,
            postgresql_where=text("spent_at IS NULL AND purpose <> 'revert_email_change'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    security_epoch: Mapped[int]
    address: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]
    code_hash: Mapped[str | None]
    code_expires_at: Mapped[datetime | None]
    code_attempts_left: Mapped[int | None]
    email_change_id: Mapped[UUID | None] = mapped_column(ForeignKey("email_changes.id", ondelete="CASCADE"), index=True)

    user: Mapped["UserModel"] = relationship(back_populates="one_time_tokens", lazy="raise")
    email_change: Mapped[EmailChangeModel | None] = relationship(back_populates="tokens", lazy="raise")
