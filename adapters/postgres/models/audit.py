"""The audit log."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.models.base import Base


class AuditEntryModel(Base):
    """One row an event, in the order of writing. Outlives the user it is about, so nothing refers to it."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_user_id_sequence", "user_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    event: Mapped[str]
    user_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
