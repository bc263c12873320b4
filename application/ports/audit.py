"""The audit log."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

from domain.audit.audit_entry import AuditEntry
from domain.audit.chain import Link, SealedEntry
from domain.audit.checkpoint import Checkpoint
from domain.events import Event, Outcome
from domain.ids import AuditEntryId, UserId

EXAMINED_AT_ONCE = 5_000
"""So many entries are looked at for one page, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries are wanted: those to which all of it applies. Times are from, inclusive, and to, exclusive."""

    actor_id: UserId | None = None
    user_id: UserId | None = None
    event: str | None = None
    outcome: Outcome | None = None
    occurred_after: datetime | None = None
    occurred_before: datetime | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What is filtered by."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) is not None)

    @property
    def looked_up(self) -> "AuditFilter":
        """The part that one index answers; the rest is tried on what that finds.

        People first, of whom each has few entries; then times, whose range has an end; then the rest.
        """
        if self.user_id is not None:
            return AuditFilter(user_id=self.user_id)
        if self.actor_id is not None:
            return AuditFilter(actor_id=self.actor_id)
        if self.is_by_time:
            return AuditFilter(occurred_after=self.occurred_after, occurred_before=self.occurred_before)
        if self.event is not None:
            return AuditFilter(event=self.event)
        return AuditFilter(outcome=self.outcome if self.outcome is Outcome.REFUSED else None)

    @property
    def is_by_time(self) -> bool:
        """Whether there are times to filter by."""
        return self.occurred_after is not None or self.occurred_before is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPlace:
    """Where in the log one entry is: enough to go on behind it, in whatever order."""

    sequence: int
    occurred_at: datetime


class AuditLog(Protocol):
    """What happened, in order. Entries are added in the transaction of the act and never changed.

    `add` and `save` of the other repositories write the events of their aggregates here by themselves. An event that
    something follows from is queued as a job in the same transaction. Who acts and from where comes from `Origin`.
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

    async def page(
        self, wanted: AuditFilter, *, after: AuditPlace | None = None, limit: int
    ) -> tuple[Sequence[AuditEntry], AuditPlace | None]:
        """At most `limit` entries, newest first, and where to go on, or None at the end.

        Newest is by sequence; by time where there are times to filter by and neither actor nor user. Of several filters
        one is looked up, and the others are tried on at most EXAMINED_AT_ONCE entries that it finds: a page may be
        short or empty, and not the last.
        """
        ...

    async def forget(self, user_id: UserId) -> None:
        """Destroy what is personal about a user (PR-02); that things happened, and when, stays and stays provable.

        Explanations in entries about them, and addresses in entries where they acted, or which are about them and
        nobody is known to have acted.
        """
        ...

    async def purge_personal(self, *, occurred_before: datetime, limit: int) -> int:
        """Destroy what is personal in at most `limit` entries of before then; in how many."""
        ...


class AuditChain(Protocol):
    """The proof of the audit log: entries get their places in the chain some time after they were written.

    So writers never wait for each other. An entry that is committed late is sealed late: places tell the order of
    sealing, and the entry itself tells its sequence.
    """

    async def lock(self) -> Link | None:
        """Wait until nobody else seals, and nobody does until the block ends; where the chain ends, None if empty."""
        ...

    async def unsealed(self, *, limit: int) -> Sequence[AuditEntry]:
        """At most `limit` entries that have no place yet, in the order of their sequence."""
        ...

    async def add(self, sealed: Sequence[SealedEntry]) -> None:
        """Give entries their places, for good."""
        ...

    async def sealed(self, *, after: int, limit: int) -> Sequence[SealedEntry | Link]:
        """At most `limit` entries from behind that position on, in the order of positions. A Link where one is lost."""
        ...

    async def count_unsealed(self) -> int:
        """How many entries have no place yet."""
        ...

    async def kept_out(self, *, after: int | None, up_to: int | None) -> int | None:
        """The sequence of the first entry there that has no place and will not be given one; None as it should be.

        Looks behind `after` and up to `up_to`, both sequences; where one is None, as far as entries go.
        """
        ...

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint. One at each position is enough: another one is passed over."""
        ...

    async def checkpoints(self, *, before: int | None = None, limit: int | None = None) -> Sequence[Checkpoint]:
        """At most `limit` checkpoints, newest first, starting before that position."""
        ...
