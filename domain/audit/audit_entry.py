"""The record of an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.events import Detail
from domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One event as it was written down. Entries are only ever added."""

    id: UUID
    event: str
    user_id: UserId | None
    occurred_at: datetime
    details: Mapping[str, Detail]
