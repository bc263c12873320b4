"""The queue, as operators see it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.ports import RepositoryPort

from application.ports.jobs import Job, JobKind, JobQueue, ParkedJob

type OpenQueue = Callable[[], AbstractAsyncContextManager[RepositoryPort]]

_ALL = 10_000


class PgQueuerJobQueue:
    """`JobQueue` on whatever keeps PgQueuer's tables. Opens the queue for each question: they are rare."""

    def __init__(self, open_queue: OpenQueue) -> None:
        self._open_queue = open_queue

    async def parked(self, *, limit: int) -> Sequence[ParkedJob]:
        async with self._open_queue() as queries:
            found = await queries.list_failed_jobs(limit=limit)
        return [ParkedJob(job=as_job(job), attempts=job.attempts + 1, queued_at=job.created) for job in found]

    async def retry_parked(self) -> int:
        async with self._open_queue() as queries:
            ids = [job.id for job in await queries.list_failed_jobs(limit=_ALL)]
            await queries.requeue_jobs(ids)
        return len(ids)

    async def purge(self, *, done_for: timedelta) -> None:
        async with self._open_queue() as queries:
            log = queries.qbe.settings.queue_table_log
            # PgQueuer can only empty it. What it counts from it, it has counted by then.
            await queries.driver.execute(f"DELETE FROM {log} WHERE created < now() - $1::interval", done_for)  # noqa: S608


def as_job(queued: QueuedJob) -> Job:
    """Our view of a job of PgQueuer's."""
    return Job(kind=JobKind(queued.entrypoint), subject=UUID(bytes=queued.payload))


def _is_job_queue(pgqueuer: PgQueuerJobQueue) -> JobQueue:
    return pgqueuer
