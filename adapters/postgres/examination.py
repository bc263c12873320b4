"""What a database says of itself, for operators who look whether all is well. Nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import column, func, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import indexes, roles
from adapters.postgres.database import open_engine, wanted_settings
from adapters.postgres.jobs import SETTINGS
from adapters.postgres.models import MessageModel, SigningKeyModel
from adapters.postgres.schema import is_up_to_date
from adapters.postgres.statements import in_our_words
from domain.messages.message import MessageState
from domain.signing.signing_key import KeyState

_VERSION = text("SELECT current_setting('server_version')")
_NOW = text("SELECT clock_timestamp()")
_SET = text("SELECT name, setting FROM pg_settings UNION ALL SELECT 'role', current_user")
_JOBS = table(SETTINGS.queue_table, column("status"), column("execute_after"))
_MESSAGES, _KEYS = MessageModel.__table__, SigningKeyModel.__table__
_WORK = select(
    select(func.count()).where(_JOBS.c.status == text("'failed'")).scalar_subquery(),
    # What waits for its time is not late.
    select(func.min(_JOBS.c.execute_after)).where(_JOBS.c.status == text("'queued'")).scalar_subquery(),
    select(func.count()).where(_MESSAGES.c.state == MessageState.DEAD.value).scalar_subquery(),
    select(_KEYS.c.state_since).where(_KEYS.c.state == KeyState.ACTIVE.value).scalar_subquery(),
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

    `role` is what connections step down to, if they do. Without our schema there is no `work`. `unfinished` are indexes
    that somebody began and did not finish.
    """

    server_version: str
    ahead: timedelta
    took: timedelta
    role: str | None
    work: Work | None
    unfinished: list[str]


async def clock_ahead(connection: AsyncConnection) -> tuple[timedelta, timedelta]:
    """How far the database's clock is before ours, and how long asking took: it is right to half of that."""
    asked = datetime.now(UTC)
    theirs: datetime = (await connection.execute(_NOW)).scalar_one()
    took = datetime.now(UTC) - asked
    return theirs - (asked + took / 2), took


async def examine(connection: AsyncConnection) -> Examined:
    """Look at a server, and at the work that waits there."""
    version = (await connection.execute(_VERSION)).scalar_one()
    ahead, took = await clock_ahead(connection)
    work = None
    if await is_up_to_date(connection):
        parked, waiting_since, dead, signing_since = (await connection.execute(_WORK)).one()
        work = Work(parked_jobs=parked, waiting_since=waiting_since, dead_messages=dead, signing_since=signing_since)
    return Examined(
        server_version=str(version),
        ahead=ahead,
        took=took,
        role=await roles.present_role(connection),
        work=work,
        unfinished=await indexes.invalid(connection),
    )


async def is_set_up(url: str, *, role: str | None) -> bool:
    """Whether the connections of this pooler work as `role`, if there is one, and end what takes too long.

    Raises: DatabaseUnavailable.
    """
    with in_our_words():
        async with (
            open_engine(url, pool_size=1, name="hallporter doctor", pooler=True) as engine,
            engine.connect() as connection,
        ):
            found = {(name, setting) for name, setting in await connection.execute(_SET)}
    return found >= set(wanted_settings(role).items())
