"""Forgetting what is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.jobs import JobQueue
from application.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long what is over is kept: for users to look back on, and for operators to understand (PR-01).

    Nothing ever comes back to life by being kept: everything that opens something carries its own end.
    """

    sessions: timedelta = timedelta(days=30)
    messages: timedelta = timedelta(days=30)
    email_changes: timedelta = timedelta(days=30)
    tokens: timedelta = timedelta(days=1)
    jobs: timedelta = timedelta(days=7)


class PurgeExpired:
    """Remove sessions, one-time tokens, changes of address and messages that have long been over."""

    def __init__(self, unit_of_work: UnitOfWork, jobs: JobQueue, clock: Clock, policy: RetentionPolicy) -> None:
        self._unit_of_work = unit_of_work
        self._jobs = jobs
        self._clock = clock
        self._policy = policy

    async def execute(self) -> Mapping[str, int]:
        """How many of which were removed."""
        now, keep = self._clock.now(), self._policy
        await self._jobs.purge(done_for=keep.jobs)
        async with self._unit_of_work.begin() as tx:
            return {
                "sessions": await tx.sessions.purge(over_since=now - keep.sessions),
                "one_time_tokens": await tx.one_time_tokens.purge(expired_before=now - keep.tokens),
                "messages": await tx.messages.purge(updated_before=now - keep.messages),
                "email_changes": await tx.email_changes.purge(requested_before=now - keep.email_changes),
            }
