"""Work that is done after a commit, outside any transaction, at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class JobKind(StrEnum):
    """What is to be done, and what `Job.subject` is the id of."""

    EVENT = "event"
    """Act on an event: an audit entry."""
    MESSAGE = "message"
    """Deliver a message."""
    IMPORT = "import"
    """Take in the users of a file: an import."""
    ERASURE = "erasure"
    """Forget what was still written down about a user who was being erased: an audit entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work. It names what it is about by id alone: queues and their logs hold nothing personal."""

    kind: JobKind
    subject: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJob:
    """A job that failed too often to be tried again by itself."""

    job: Job
    attempts: int
    queued_at: datetime


class JobQueue(Protocol):
    """The queue, as operators see it. Jobs get there by what is written: see `AuditLog` and `MessageRepository`."""

    async def parked(self, *, limit: int) -> Sequence[ParkedJob]:
        """At most `limit` parked jobs, last queued first."""
        ...

    async def retry_parked(self) -> int:
        """Have every parked job tried again from the start; how many."""
        ...

    async def purge(self, *, done_for: timedelta) -> None:
        """Forget what is noted about jobs that were done that long ago."""
        ...
