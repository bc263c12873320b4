"""Refused sign-ins."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most
from domain.sessions.session import MAX_NETWORK_ADDRESS_LENGTH
from domain.sessions.sign_in_attempt import REFERENCE_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class SignInAttemptModel(Base):
    """One row an attempt that was looked at; for those that were told to wait, one row a limit and hour."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        at_most("reference", REFERENCE_LENGTH),
        at_most("network_address", MAX_NETWORK_ADDRESS_LENGTH),
    )

    reference: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[UUID | None]
    network_address: Mapped[str | None]
    steps: Mapped[list[list[str]]] = mapped_column(JSONB)

    user: Mapped["UserModel | None"] = relationship(back_populates="sign_in_attempts", lazy="raise")
