"""Requests with an idempotency key."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most
from domain.idempotency.idempotent_request import MAX_SEALED_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class IdempotentRequestModel(Base):
    """One row a key of one caller at one route. What was sent and answered is sealed, and goes with the user."""

    __tablename__ = "idempotent_requests"
    __table_args__ = (
        at_most("sealed_request", MAX_SEALED_LENGTH),
        at_most("sealed_answer", MAX_SEALED_LENGTH),
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID]
    claimed_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    sealed_request: Mapped[str]
    acted_at: Mapped[datetime | None]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    sealed_answer: Mapped[str | None]

    user: Mapped["UserModel | None"] = relationship(back_populates="idempotent_requests", lazy="raise")
