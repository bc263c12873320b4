"""The queue, as operators see it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.settings import DBSettings
from pgqueuer.ports import RepositoryPort

from application.ports.jobs import Job, JobKind, JobQueue, ParkedJob

type OpenQueue = Callable[[], AbstractAsyncContextManager[RepositoryPort]]

_ALL = 10_000
_AT_ONCE = 1_000


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
            # PgQueuer can only empty them. What it counts from the log, it has counted by then.
            for purge in _purges(queries.qbe.settings):
                while await queries.driver.fetch(purge, done_for):
                    pass


def _purges(settings: DBSettings) -> Sequence[str]:
    """Some at a time, the oldest first: by their time, or by their number where there is no index but that."""
    log, statistics = settings.queue_table_log, settings.statistics_table
    oldest = {
        log: f"SELECT id FROM {log} WHERE created < now() - $1::interval ORDER BY created LIMIT {_AT_ONCE}",  # noqa: S608  (names of ours)
        statistics: f"SELECT id FROM (SELECT id, created FROM {statistics} ORDER BY id LIMIT {_AT_ONCE}) AS oldest "  # noqa: S608  (names of ours)
        "WHERE created < now() - $1::interval",
    }
    return [f"DELETE FROM {table} WHERE id = ANY (ARRAY({found})) RETURNING 1" for table, found in oldest.items()]  # noqa: S608  (names of ours)


def as_job(queued: QueuedJob) -> Job:
    """Our view of a job of PgQueuer's."""
    return Job(kind=JobKind(queued.entrypoint), subject=UUID(bytes=queued.payload))


def _is_job_queue(pgqueuer: PgQueuerJobQueue) -> JobQueue:
    return pgqueuer
