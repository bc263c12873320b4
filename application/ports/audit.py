"""The audit log."""

from collections.abc import Sequence
from typing import Protocol

from domain.audit.audit_entry import AuditEntry
from domain.events import Event
from domain.ids import AuditEntryId, UserId


class AuditLog(Protocol):
    """What happened, in order. Entries are added in the transaction of the act and never changed.

    `add` and `save` of the other repositories write the events of their aggregates here by themselves. An event that
    something follows from is queued as a job in the same transaction.
    """

    async def append(self, event: Event) -> None:
        """Write down an event that no aggregate recorded, such as a refused attempt."""
        ...

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        """One entry."""
        ...

    async def of_user(
        self, user_id: UserId, *, before: int | None = None, limit: int | None = None
    ) -> Sequence[AuditEntry]:
        """At most `limit` entries about this user, last written first, starting before that sequence number.

        Empty for an unknown user. The cost does not grow with depth.
        """
        ...

    async def forget(self, user_id: UserId) -> None:
        """Take what is personal out of the entries about this user; that things happened, and when, stays (PR-02)."""
        ...
