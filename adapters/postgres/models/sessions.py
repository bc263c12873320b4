"""Sessions and their token families."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most
from domain.sessions.session import MAX_DEVICE_NAME_LENGTH, MAX_NETWORK_ADDRESS_LENGTH, MAX_USER_AGENT_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class SessionModel(Base):
    """One row a session. It is also the head of its token family: rotation locks it."""

    __tablename__ = "sessions"
    __table_args__ = (
        # When it was over, which is the earlier of the two: to be forgotten in that order.
        Index("ix_sessions_over", text("least(ended_at, expires_at)")),
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_for_a_reason"),
        at_most("user_agent", MAX_USER_AGENT_LENGTH),
        at_most("device_name", MAX_DEVICE_NAME_LENGTH),
        at_most("network_address", MAX_NETWORK_ADDRESS_LENGTH),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    security_epoch: Mapped[int]
    methods: Mapped[list[str]]
    user_agent: Mapped[str | None]
    network_address: Mapped[str | None]
    device_name: Mapped[str | None]
    authenticated_at: Mapped[datetime]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    generation: Mapped[int] = mapped_column(server_default="1")
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]

    user: Mapped["UserModel"] = relationship(back_populates="sessions", lazy="raise")
    refresh_tokens: Mapped[list["RefreshTokenModel"]] = relationship(back_populates="session", lazy="raise")


class RefreshTokenModel(Base):
    """One row a generation. The token itself is never stored, only its SHA-256."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (UniqueConstraint("session_id", "generation"),)

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    generation: Mapped[int]
    issued_at: Mapped[datetime]
    rotated_at: Mapped[datetime | None]
    sealed_answer: Mapped[str | None]

    session: Mapped[SessionModel] = relationship(back_populates="refresh_tokens", lazy="raise")
