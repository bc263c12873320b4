"""Trying again."""

from application.ports.jobs import JobQueue


class RetryParkedJobs:
    """Have every parked job tried again, once what stood in the way is mended."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs

    async def execute(self) -> int:
        """How many there were."""
        return await self._jobs.retry_parked()
