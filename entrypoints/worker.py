"""Workers: who does what is left to be done after a request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial

from adapters.jobs.heartbeat import Heartbeat
from adapters.jobs.worker import Upkeep, Worker
from application.audit.make_checkpoint import MakeCheckpoint
from application.audit.origin import Origin, acting_from
from application.jobs.handle_job import HandleJob
from application.ports.jobs import Job
from application.signing.rotate_signing_key import RotateSigningKey
from application.upkeep.carry_out_factor_resets import CarryOutFactorResets
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.give_up_imports import GiveUpImports
from application.upkeep.lift_suspensions import LiftSuspensions
from application.upkeep.purge_expired import PurgeExpired
from application.upkeep.requeue_stranded_messages import RequeueStrandedMessages
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.audit_entry import Source
from entrypoints.adapters import Adapters
from entrypoints.container import Container
from entrypoints.settings import Settings

# Longer than a mail may take (`adapters/mail/smtp.py`): those at hand are finished, and what is not is put back. Both
# together are less than the thirty seconds after which Kubernetes kills (fault 36).
_DRAIN = timedelta(seconds=24)
_PUT_BACK = timedelta(seconds=3)
_BY_ITSELF = Origin(source=Source.WORKER)

type Around = Callable[[str], AbstractContextManager[object]]
"""What surrounds a piece of work, by its name."""


def make_worker(
    settings: Settings,
    adapters: Adapters,
    container: Container,
    heartbeat: Heartbeat | None = None,
    around: Around = nullcontext,
) -> Worker:
    """A worker on the queue of these adapters. `heartbeat` hears of it; `around` surrounds whatever it does."""
    handle_job = container.resolve(HandleJob)

    async def handle(job: Job) -> timedelta | None:
        with around(f"job {job.kind.value}"), acting_from(_BY_ITSELF):
            return await handle_job.execute(job=job)

    lease = timedelta(seconds=settings.job_lease_seconds)
    return Worker(adapters.open_queue, handle, _upkeep(container, around), lease=lease, heartbeat=heartbeat)


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    """Work beside the block; after it, finish what is at hand."""
    task = asyncio.create_task(worker.run(), name="worker")
    try:
        yield
    finally:
        deadline = stop(worker) + _PUT_BACK.total_seconds()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await task


def stop(worker: Worker) -> float:
    """Let it finish what is at hand. When it is put back: what counts is when this was said first."""
    worker.stop(within=_DRAIN)
    assert worker.puts_back_at is not None  # noqa: S101  (for the type checker: it was said)
    return worker.puts_back_at


def _upkeep(container: Container, around: Around) -> Mapping[str, Upkeep]:
    rotate = container.resolve(RotateSigningKey)
    kept: Mapping[str, tuple[str, Callable[[], Awaitable[object]]]] = {
        "rotate_signing_key": ("7 * * * *", partial(rotate.execute, if_due=True)),
        "seal_audit_entries": ("* * * * *", container.resolve(SealAuditEntries).execute),
        "make_checkpoint": ("37 * * * *", partial(container.resolve(MakeCheckpoint).execute, if_due=True)),
        "purge_expired": ("17 * * * *", container.resolve(PurgeExpired).execute),
        "requeue_stranded_messages": ("27 * * * *", container.resolve(RequeueStrandedMessages).execute),
        "lift_suspensions": ("*/5 * * * *", container.resolve(LiftSuspensions).execute),
        "give_up_imports": ("37 * * * *", container.resolve(GiveUpImports).execute),
        "carry_out_factor_resets": ("* * * * *", container.resolve(CarryOutFactorResets).execute),
        "erase_due_users": ("*/5 * * * *", container.resolve(EraseDueUsers).execute),
    }
    return {
        name: Upkeep(cron=cron, run=partial(_by_itself, run, partial(around, f"upkeep {name}")))
        for name, (cron, run) in kept.items()
    }


async def _by_itself(
    run: Callable[[], Awaitable[object]], around: Callable[[], AbstractContextManager[object]]
) -> object:
    with around(), acting_from(_BY_ITSELF):
        return await run()
