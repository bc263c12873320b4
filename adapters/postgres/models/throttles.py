"""Throttles."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.models.base import Base, at_most
from domain.throttling.throttle import MAX_NAME_LENGTH, MAX_OWNER_LENGTH


class ThrottleModel(Base):
    """One row a counter that is not full. Without an index on `full_at`, so that using a counter updates no index."""

    __tablename__ = "throttles"
    __table_args__ = (
        at_most("owner", MAX_OWNER_LENGTH),
        at_most("name", MAX_NAME_LENGTH),
    )

    owner: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    full_at: Mapped[datetime]
