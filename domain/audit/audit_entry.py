"""The record of an event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.events import Detail
from domain.ids import AuditEntryId, UserId

PERSONAL_DETAILS = frozenset({"network_address", "explanation"})
"""Details that say something about a person beyond that something happened. Erasing a user takes them away (PR-02)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One event as it was written down. Entries are only ever added; `sequence` is their order, with gaps."""

    id: AuditEntryId
    sequence: int
    event: str
    user_id: UserId | None
    occurred_at: datetime
    details: Mapping[str, Detail]
