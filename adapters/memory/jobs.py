"""The job queue in memory: PgQueuer's own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries

from application.ports.jobs import Job


class _Driver(InMemoryDriver):
    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:  # noqa: ARG002  (as what it replaces)
        """Statements on tables are about the log, which memory does not keep."""
        return []


class MemoryJobs:
    """Jobs of transactions that have committed. `queries` is what a worker works on."""

    def __init__(self) -> None:
        self.queries = InMemoryQueries(driver=_Driver())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[InMemoryQueries]:
        """The queue as a worker sees it."""
        yield self.queries

    async def add(self, jobs: Iterable[Job]) -> None:
        """Queue these, but for those that wait or are being done."""
        for job in jobs:
            await self.queries.enqueue(
                job.kind.value, job.subject.bytes, dedupe_key=f"{job.kind}:{job.subject}", on_conflict="skip"
            )
