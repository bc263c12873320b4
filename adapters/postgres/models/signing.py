"""Signing keys."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.models.base import Base
from domain.signing.signing_key import KeyState

_STATES = ", ".join(f"'{state}'" for state in KeyState)


class SigningKeyModel(Base):
    """One row a key pair; at most one is active."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
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
