"""What a database says of itself, for operators who look whether all is well. Nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import roles
from adapters.postgres.jobs import SETTINGS
from adapters.postgres.schema import is_up_to_date

_SERVER = text("SELECT current_setting('server_version'), clock_timestamp()")
_WORK = text(
    # Constants of ours; what waits for its time is not late.
    f"""
    SELECT (SELECT count(*) FROM {SETTINGS.queue_table} WHERE status = 'failed'),
           (SELECT min(execute_after) FROM {SETTINGS.queue_table} WHERE status = 'queued'),
           (SELECT count(*) FROM messages WHERE state = 'dead'),
           (SELECT state_since FROM signing_keys WHERE state = 'active')
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to be done, and how long it has been waiting."""

    parked_jobs: int
    waiting_since: datetime | None
    dead_messages: int
    signing_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """`ahead` is how far the database's clock is before ours, right to half of `took`.

    `role` is what connections step down to, if they do. Without our schema there is no `work`.
    """

    server_version: str
    ahead: timedelta
    took: timedelta
    role: str | None
    work: Work | None


async def examine(connection: AsyncConnection) -> Examined:
    """Look at a server, and at the work that waits there."""
    asked = datetime.now(UTC)
    version, theirs = (await connection.execute(_SERVER)).one()
    took = datetime.now(UTC) - asked
    work = None
    if await is_up_to_date(connection):
        parked, waiting_since, dead, signing_since = (await connection.execute(_WORK)).one()
        work = Work(parked_jobs=parked, waiting_since=waiting_since, dead_messages=dead, signing_since=signing_since)
    return Examined(
        server_version=str(version),
        ahead=theirs - (asked + took / 2),
        took=took,
        role=await roles.present_role(connection),
        work=work,
    )
