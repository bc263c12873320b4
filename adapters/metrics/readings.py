"""What is not counted but looked at: pools of this process, and what the database knows."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from application.ports.vital_signs import VitalSignReader, VitalSigns

_KEPT_SECONDS = 5.0
_JOB_STATES = ("waiting", "running", "parked")


class Pool(Protocol):
    """A pool of connections."""

    @property
    def most(self) -> int: ...

    @property
    def taken(self) -> int: ...

    @property
    def waits(self) -> int: ...

    @property
    def timeouts(self) -> int: ...


class Hashing(Protocol):
    """Threads that hash passwords, and the queue in front of them."""

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def refused(self) -> int: ...


class Readings(Collector):
    """Looks at them whenever somebody asks. What the database knows is kept for some seconds, and asked for once."""

    def __init__(self, *, rotate_after: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._rotate_after = rotate_after
        self._clock = clock
        self._asking = asyncio.Lock()
        self._read_at: float | None = None
        self._signs: VitalSigns | None = None
        self._reader: VitalSignReader | None = None
        self._pool: Pool | None = None
        self._hashing: Hashing | None = None
        self._worker_silence: Callable[[], float | None] = lambda: None

    def look_at(
        self, *, pool: Pool, hashing: Hashing, reader: VitalSignReader, worker_silence: Callable[[], float | None]
    ) -> None:
        """Look at these from now on. `worker_silence` is in seconds, and None where this process has no worker."""
        self._pool, self._hashing, self._reader = pool, hashing, reader
        self._worker_silence = worker_silence

    async def refresh(self) -> None:
        """Ask the database, if that was not done a moment ago."""
        async with self._asking:
            now = self._clock()
            if self._reader is not None and (self._read_at is None or now - self._read_at >= _KEPT_SECONDS):
                self._signs = await self._reader.read()
                self._read_at = now

    def collect(self) -> Iterator[Metric]:
        yield from self._of_pools()
        yield _gauge(
            "worker_silent_seconds", "Since the worker of this process was last heard of.", self._worker_silence()
        )
        signs = self._signs
        yield _gauge("database_up", "Whether the database could be asked for what follows.", float(signs is not None))
        complete = _told(signs, lambda signs: float(signs.is_migrated))
        yield _gauge("schema_complete", "Whether it has every migration.", complete)
        yield from _of_jobs(signs)
        mails = [*signs.mails.items()] if signs is not None else []
        yield _by("mails", "Mails that are not sent, by state.", "state", mails)
        age = signs.key_age if signs is not None else None
        left = _told(age, lambda age: (self._rotate_after - age).total_seconds())
        yield _gauge("signing_key_age_seconds", "How long the active key has signed.", _told(age, _seconds))
        yield _gauge("signing_key_rotation_in_seconds", "Until it is to be replaced.", left)
        yield _gauge("audit_unsealed", "Audit entries outside the chain.", _told(signs, lambda signs: signs.unsealed))
        oldest = _told(signs, lambda signs: _seconds(signs.oldest_unsealed))
        yield _gauge("audit_oldest_unsealed_seconds", "Age of the first of them.", oldest)
        ago = [(name, _seconds(since)) for name, since in signs.upkeep.items()] if signs is not None else []
        yield _by("upkeep_ago_seconds", "Since upkeep was last done, by any worker.", "upkeep", ago)

    def _of_pools(self) -> Iterator[Metric]:
        pool, hashing = self._pool, self._hashing
        most, taken = _told(pool, lambda pool: pool.most), _told(pool, lambda pool: pool.taken)
        yield _gauge("database_connections_most", "Connections that the pool may have.", most)
        yield _gauge("database_connections_taken", "Connections in use.", taken)
        waits, timeouts = _told(pool, lambda pool: pool.waits), _told(pool, lambda pool: pool.timeouts)
        yield _counter("database_waits", "How often every connection was taken.", waits)
        yield _counter("database_timeouts", "How often none came free in time.", timeouts)
        running, waiting = (
            _told(hashing, lambda threads: threads.running),
            _told(hashing, lambda threads: threads.waiting),
        )
        yield _gauge("hashing_running", "Passwords being hashed.", running)
        yield _gauge("hashing_waiting", "Passwords waiting to be hashed.", waiting)
        refused = _told(hashing, lambda threads: threads.refused)
        yield _counter("hashing_refused", "Passwords not hashed, for too many waited or memory was short.", refused)


def _of_jobs(signs: VitalSigns | None) -> Iterator[Metric]:
    kinds = signs.jobs if signs is not None else ()
    depth = GaugeMetricFamily("hallporter_jobs", "Jobs that are not done.", labels=["kind", "state"])
    oldest = GaugeMetricFamily(
        "hallporter_job_oldest_seconds", "Age of the oldest that is not parked.", labels=["kind"]
    )
    overdue = GaugeMetricFamily(
        "hallporter_job_overdue_seconds", "How long the one that is due for the longest has waited.", labels=["kind"]
    )
    for job in kinds:
        for state, count in zip(_JOB_STATES, (job.waiting, job.running, job.parked), strict=True):
            depth.add_metric([job.kind, state], count)
        oldest.add_metric([job.kind], job.oldest.total_seconds())
        overdue.add_metric([job.kind], job.overdue.total_seconds())
    yield from (depth, oldest, overdue)


def _told[T](of: T | None, value: Callable[[T], float]) -> float | None:
    return value(of) if of is not None else None


def _seconds(age: timedelta) -> float:
    return age.total_seconds()


def _gauge(name: str, meaning: str, value: float | None) -> Metric:
    """One without labels. What is not known has no sample, so that nobody takes it for zero."""
    family = GaugeMetricFamily(f"hallporter_{name}", meaning)
    if value is not None:
        family.add_metric([], value)
    return family


def _counter(name: str, meaning: str, value: float | None) -> Metric:
    family = CounterMetricFamily(f"hallporter_{name}", meaning)
    if value is not None:
        family.add_metric([], value)
    return family


def _by(name: str, meaning: str, label: str, values: Sequence[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"hallporter_{name}", meaning, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family
