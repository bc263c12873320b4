"""Seeing what failed."""

from collections.abc import Sequence

from application.ports.jobs import JobQueue, ParkedJob


class ListParkedJobs:
    """Show the jobs that failed too often to be tried again by themselves."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs

    async def execute(self, *, limit: int) -> Sequence[ParkedJob]:
        """At most `limit`, last queued first."""
        return await self._jobs.parked(limit=limit)
