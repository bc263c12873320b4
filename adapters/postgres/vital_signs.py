"""Vital signs, from PostgreSQL."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.jobs import SETTINGS
from adapters.postgres.schema import is_up_to_date
from adapters.postgres.statements import connection_of
from application.ports.jobs import JobKind
from application.ports.unit_of_work import DatabaseUnavailable
from application.ports.vital_signs import JobSigns, VitalSignReader, VitalSigns
from domain.messages.message import MessageState

_log = structlog.get_logger("hallporter.postgres")

JOBS = SETTINGS.queue_table
SCHEDULES = SETTINGS.schedules_table

# The table holds nothing but what is not done yet: those that are have gone to the log.
_JOBS = text(
    f"""
    SELECT entrypoint,
        count(*) FILTER (WHERE status = 'queued') AS waiting,
        count(*) FILTER (WHERE status = 'picked') AS running,
        count(*) FILTER (WHERE status = 'failed') AS parked,
        now() - min(created) FILTER (WHERE status <> 'failed') AS oldest,
        now() - min(execute_after) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS overdue
    FROM {JOBS} WHERE status IN ('queued', 'picked', 'failed') GROUP BY entrypoint
    """  # noqa: S608  (a constant)
)
# Not those that were sent, which are nearly all.
_MAILS = text(
    "SELECT state, count(*) AS mails FROM messages WHERE state IN ('queued', 'failed', 'dead') GROUP BY state"
)
_REST = text(
    """
    SELECT
        (SELECT now() - coalesce(state_since, created_at) FROM signing_keys WHERE state = 'active') AS key_age,
        (SELECT count(*) FROM audit_proofs WHERE position IS NULL) AS unsealed,
        (SELECT now() - occurred_at FROM audit_entries WHERE sequence =
            (SELECT min(sequence) FROM audit_proofs WHERE position IS NULL)) AS oldest_unsealed
    """
)
_UPKEEP = text(
    f"SELECT entrypoint, min(now() - last_run) AS ago FROM {SCHEDULES} "  # noqa: S608  (a constant)
    "WHERE last_run IS NOT NULL GROUP BY entrypoint"
)
_NONE = timedelta()


class PostgresVitalSigns:
    """`VitalSignReader` on an engine of its own, so that nobody who works or probes waits for it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._is_migrated = False

    async def read(self) -> VitalSigns | None:
        try:
            async with connection_of(self._engine) as connection:
                self._is_migrated = self._is_migrated or await is_up_to_date(connection)
                return await vital_signs(connection, is_migrated=self._is_migrated)
        except (DatabaseUnavailable, SQLAlchemyError) as problem:
            _log.warning("vital_signs.unreadable", cause=type(problem).__name__)
            return None


async def vital_signs(connection: AsyncConnection, *, is_migrated: bool) -> VitalSigns:
    """What this database, which has our tables, knows now."""
    jobs = (await connection.execute(_JOBS)).all()
    mails = (await connection.execute(_MAILS)).all()
    upkeep = (await connection.execute(_UPKEEP)).all()
    rest = (await connection.execute(_REST)).one()
    return VitalSigns(
        jobs=_job_signs(jobs),
        mails=dict.fromkeys((MessageState.QUEUED, MessageState.FAILED, MessageState.DEAD), 0)
        | {MessageState(row.state): row.mails for row in mails},
        key_age=rest.key_age,
        unsealed=rest.unsealed,
        oldest_unsealed=_not_negative(rest.oldest_unsealed),
        upkeep={row.entrypoint: _not_negative(row.ago) for row in upkeep},
        is_migrated=is_migrated,
    )


def _job_signs(rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[JobSigns]:
    """Those of every kind, also where there is no job of it."""
    found = {row.entrypoint: row for row in rows}
    return [
        JobSigns(
            kind=kind,
            waiting=row.waiting if row else 0,
            running=row.running if row else 0,
            parked=row.parked if row else 0,
            oldest=_not_negative(row.oldest if row else None),
            overdue=_not_negative(row.overdue if row else None),
        )
        for kind in JobKind
        for row in [found.get(kind)]
    ]


def _not_negative(age: timedelta | None) -> timedelta:
    # Our clock and PostgreSQL's differ.
    return max(age or _NONE, _NONE)


def _is_reader(postgres: PostgresVitalSigns) -> VitalSignReader:
    return postgres
