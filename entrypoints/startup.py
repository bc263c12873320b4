"""From settings to use cases that work: the same for the API and for every command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from adapters.jobs.heartbeat import Heartbeat
from adapters.jobs.worker import Worker
from adapters.mail.templates import TemplatesProblem
from adapters.postgres import schema
from adapters.postgres.errors import stays
from adapters.postgres.examination import clock_ahead
from adapters.postgres.own_server import EmbeddedPostgresError
from adapters.postgres.problems import DatabaseAway, DatabaseProblem
from adapters.postgres.roles import present_role
from application.audit.origin import Origin, acting_from
from application.ports.unit_of_work import DatabaseUnavailable
from application.signing.key_ring import KeyRing
from domain.audit.audit_entry import Source
from domain.errors import DomainError
from entrypoints.adapters import Adapters, open_adapters
from entrypoints.container import Container, build_container
from entrypoints.database import database_url
from entrypoints.metrics import Metrics
from entrypoints.readiness import ReadinessOfProcess
from entrypoints.settings import Settings
from entrypoints.settings_problem import SettingsProblem
from entrypoints.telemetry import log_events
from entrypoints.traces import Traces
from entrypoints.worker import make_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What works once we have started: use cases for those who ask, and a worker for those who do the rest."""

    container: Container
    worker: Worker


class StartupProblem(Exception):
    """We cannot start. The message says why, and what to do."""


_log = structlog.get_logger("hallporter.startup")
# Codes of apps are good for half a minute, and tokens to the second.
_CLOCKS_DIFFER = timedelta(seconds=5)

PROBLEMS = (SettingsProblem, TemplatesProblem, EmbeddedPostgresError, DatabaseProblem, StartupProblem, DomainError)
"""What people are told in a sentence; everything else is a bug and keeps its traceback."""


@asynccontextmanager
async def started(
    settings: Settings,
    metrics: Metrics | None = None,
    traces: Traces | None = None,
    *,
    migrates: bool = False,
) -> AsyncIterator[Started]:
    """The use cases on the database of the settings, for as long as the block.

    The schema is brought up to date first. Not so in production: there it changes when somebody says so, by
    `hallporter migrate` or `hallporter serve`, which may leave it to us: `migrates`. Connections step down to the
    application's role wherever they may. `metrics` are told and `traces` are sent for as long.

    Raises: one of PROBLEMS; of those, waiting helps against DatabaseAway.
    """
    with database_url(settings) as url:
        if settings.is_production and not migrates:
            await schema.expect_up_to_date(url)
        else:
            await schema.migrate(url)
        role = await _acquaint(url)
        on_commit = log_events if metrics is None else metrics.on_commit
        async with open_adapters(settings, url, role=role, on_commit=on_commit) as opened:
            heartbeat = Heartbeat()
            adapters = replace(opened, readiness=ReadinessOfProcess(opened.readiness, heartbeat))
            if metrics is not None:
                adapters = metrics.counting(adapters)
            if traces is not None:
                adapters = traces.tracing(adapters)
            container = build_container(settings, adapters)
            with acting_from(Origin(source=Source.WORKER)):
                await _expect_readable_keys_once_there(container, adapters)
            around = nullcontext if traces is None else traces.tracer.work
            worker = make_worker(settings, adapters, container, heartbeat, around)
            async with (
                nullcontext() if metrics is None else metrics.told(url, role, opened.workings, heartbeat),
                nullcontext() if traces is None else traces.sent(),
            ):
                yield Started(container=container, worker=worker)


async def _acquaint(url: str) -> str | None:
    """The role to step down to. Says so where the database's clock is another than ours (fault 26)."""
    async with schema.connected(url) as connection:
        role = await present_role(connection)
        ahead, took = await clock_ahead(connection)
    if abs(ahead) > _CLOCKS_DIFFER + took:
        _log.warning("clock.differs", database_ahead_seconds=round(ahead.total_seconds(), 1))
    return role


async def _expect_readable_keys_once_there(container: Container, adapters: Adapters) -> None:
    try:
        await expect_readable_keys(container, adapters)
    except DatabaseUnavailable as failure:
        if isinstance(failure.__cause__, Exception) and stays(failure.__cause__):
            raise
        message = "The database went away while we started."
        raise DatabaseAway(message) from failure


async def expect_readable_keys(container: Container, adapters: Adapters) -> None:
    """Make sure that the present root key opens what the database holds sealed (fault 28).

    Raises: StartupProblem.
    """
    if not adapters.signer.opens(await container.resolve(KeyRing).active()):
        message = (
            "SECRET_KEY is not the key that this database was sealed with. Restore it: in the environment, or in "
            "development the file secret-key in HALLPORTER_HOME. Without it nobody's password can be checked."
        )
        raise StartupProblem(message)
