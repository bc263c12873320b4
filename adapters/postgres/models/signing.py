"""Signing keys."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.models.base import Base, one_of
from domain.signing.signing_key import KeyState


class SigningKeyModel(Base):
    """One row a key pair; at most one is active."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        one_of("state", KeyState),
        Index("uq_signing_keys_active", "state", unique=True, postgresql_where=text("state = 'active'")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    algorithm: Mapped[str]
    public_key: Mapped[str]
    sealed_private_key: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    state_since: Mapped[datetime | None]
