"""Doing jobs."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pgqueuer.applications import PgQueuer
from pgqueuer.core.qm import QueueManager
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.models import Schedule
from pgqueuer.domain.types import Channel, QueueExecutionMode
from pgqueuer.ports import RepositoryPort

from adapters.jobs.heartbeat import Heartbeat
from adapters.jobs.job_queue import OpenQueue, as_job
from application.ports.jobs import Job, JobKind
from domain.errors import Unavailable

_log = structlog.get_logger("hallporter.jobs")

_MOST_ATTEMPTS = 10
_MOST_ATTEMPTS_OF_A_MESSAGE = 2_000
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=5)
_AT_ONCE = 20
_HARDLY = timedelta(milliseconds=1)
_RECONNECT = timedelta(seconds=2)
_BEAT_SECONDS = 10.0

type Handler = Callable[[Job], Awaitable[timedelta | None]]


class Parked(Exception):
    """A job failed too often. The message names the error's class alone: it is kept in the queue's log."""


class _Drain(QueueManager):
    """Ends with the last job that is due, and does not wait for those that are to be tried again later."""

    async def _maybe_drain_shutdown(self, mode: QueueExecutionMode, task_manager: TaskManager) -> None:  # noqa: ARG002
        if task_manager.tasks:
            await asyncio.sleep(0)
        if not task_manager.tasks and not await self.queries.eligible_queued_work(list(self.entrypoint_registry)):
            self.shutdown.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What is done on schedule, by one worker of all: the five fields of cron, in UTC."""

    cron: str
    run: Callable[[], Awaitable[object]]


class Worker:
    """Does jobs as they come, many at once, each until it succeeds or has failed too often.

    `handle` answers how long to wait before the same job is tried again, or None when it is done; what it raises is
    tried again with growing waits, and parked in the end. A worker that is gone for `lease` loses its jobs to others.
    `heartbeat` hears of it while it works.
    """

    def __init__(
        self,
        open_queue: OpenQueue,
        handle: Handler,
        upkeep: Mapping[str, Upkeep],
        *,
        lease: timedelta,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self._open_queue = open_queue
        self._handle = handle
        self._upkeep = upkeep
        self._lease = lease
        self._heartbeat = heartbeat or Heartbeat()
        self._stopping = asyncio.Event()
        self._running: PgQueuer | None = None
        self._at_hand: set[asyncio.Timeout] = set()
        self._patience: asyncio.TimerHandle | None = None

    def stop(self, *, within: timedelta | None = None) -> None:
        """Take no more jobs; `run` ends once those at hand are done.

        Those that take longer than `within` are put back: another worker begins them anew, at once and not only when
        our lease is over. What counts is who says it first.
        """
        self._stopping.set()
        if self._running is not None:
            self._running.shutdown.set()
        if within is not None and self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(within.total_seconds(), self._put_back)

    @property
    def puts_back_at(self) -> float | None:
        """When what is still at hand is put back, by the loop's clock; None where nobody has said so."""
        return self._patience.when() if self._patience is not None else None

    def _put_back(self) -> None:
        for attempt in self._at_hand:
            attempt.reschedule(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Work until told to stop. A database that goes away is waited for."""
        self._heartbeat.beat()
        while not self._stopping.is_set():
            cause = "connection lost"
            try:
                async with self._open_queue() as queries:
                    await self._work_on(queries)
            except Exception as interruption:  # noqa: BLE001  (whatever it is, somebody has to send the mail)
                cause = type(interruption).__name__
            if not self._stopping.is_set():
                _log.warning("worker.interrupted", cause=cause)
                # Workers that lost their database together do not come back together (fault 9).
                pause = _RECONNECT * random.uniform(0.5, 1)  # noqa: S311
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause.total_seconds())
        if self._patience is not None:
            self._patience.cancel()
        self._heartbeat.end()

    async def drain(self) -> None:
        """Do the jobs that are due now, and those that follow from them, and return."""
        async with self._open_queue() as queries:
            manager = _Drain(queries, Channel(queries.qbe.settings.channel))
            self._register(manager)
            # One after the other, each written down at once: who waits for all wants to wait for nothing else.
            manager.min_dequeue_poll_interval = _HARDLY
            await manager.run(
                dequeue_timeout=_HARDLY,
                batch_size=1,
                mode=QueueExecutionMode.drain,
                log_aggregation_interval=timedelta(0),
            )

    async def _work_on(self, queries: RepositoryPort) -> None:
        self._running = self._made(queries)
        if self._stopping.is_set():
            return
        lost = asyncio.create_task(self._stop_when_lost(queries, self._running))
        beating = asyncio.create_task(self._beat(queries))
        try:
            await self._running.run(
                # As often it looks for jobs of workers that are gone; new ones are announced.
                dequeue_timeout=self._lease,
                batch_size=_AT_ONCE // 2,
                max_concurrent_tasks=_AT_ONCE,
                heartbeat_timeout=self._lease,
                shutdown_on_listener_failure=True,
            )
        finally:
            lost.cancel()
            beating.cancel()
            self._running = None

    @staticmethod
    async def _stop_when_lost(queries: RepositoryPort, running: PgQueuer) -> None:
        """PgQueuer itself would notice that its connection is gone when it looks for work the next time."""
        await queries.driver.shutdown.wait()
        running.shutdown.set()

    async def _beat(self, queries: RepositoryPort) -> None:
        """Tell that the connection answers, for as long as it does."""
        while True:
            with suppress(Exception):
                await queries.driver.fetch("SELECT 1")
                self._heartbeat.beat()
            await asyncio.sleep(_BEAT_SECONDS)

    def _made(self, queries: RepositoryPort) -> PgQueuer:
        queue = PgQueuer(queries.driver, Channel(queries.qbe.settings.channel), queries=queries)
        self._register(queue.qm)
        for name, upkeep in self._upkeep.items():
            queue.schedule(name, upkeep.cron, accepts_context=False)(_guarded(name, upkeep))
        return queue

    def _register(self, manager: QueueManager) -> None:
        for kind in JobKind:
            manager.entrypoint(kind.value, on_failure="hold", accepts_context=False)(self._attempt)

    async def _attempt(self, queued: QueuedJob) -> None:
        job = as_job(queued)
        try:
            wait = await self._until_put_back(job)
        except RetryRequested:
            raise
        except Unavailable as busy:
            # Passing, and nobody's fault: a job is not given up for it.
            raise RetryRequested(busy.retry_after, type(busy).__name__) from None
        except Exception as error:  # noqa: BLE001  (it is logged, and tried again)
            _log.exception("job.failed", kind=job.kind.value, subject=str(job.subject), attempt=queued.attempts + 1)
            name = type(error).__name__
        else:
            if wait is None:
                return
            raise RetryRequested(wait)
        # Raised out here, so that the error itself, which may speak of persons, is not noted along with it.
        if self._is_hopeless(job, queued):
            raise Parked(name)
        doubled = min(_FIRST_WAIT * (1 << min(queued.attempts, 20)), _LONGEST_WAIT)
        raise RetryRequested(doubled * random.uniform(0.5, 1), name)  # noqa: S311  (keeps retries apart)

    async def _until_put_back(self, job: Job) -> timedelta | None:
        attempt = asyncio.timeout(None)
        try:
            async with attempt:
                self._at_hand.add(attempt)
                return await self._handle(job)
        except TimeoutError:
            if not attempt.expired():
                raise
            raise RetryRequested(timedelta(0), "stopped") from None
        finally:
            self._at_hand.discard(attempt)

    @staticmethod
    def _is_hopeless(job: Job, queued: QueuedJob) -> bool:
        # A message has a lifetime of its own, and is tried many times while its relay is away.
        longest = _MOST_ATTEMPTS if job.kind is not JobKind.MESSAGE else _MOST_ATTEMPTS_OF_A_MESSAGE
        return queued.attempts + 1 >= longest


def _guarded(name: str, upkeep: Upkeep) -> Callable[[Schedule], Awaitable[None]]:
    async def run(_schedule: Schedule) -> None:
        try:
            await upkeep.run()
        except Exception:  # noqa: BLE001  (it is logged, and comes again on schedule)
            _log.exception("upkeep.failed", upkeep=name)

    return run
