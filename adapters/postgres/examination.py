"""What a database says of itself, for operators who look whether all is well. Nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import indexes, roles
from adapters.postgres.database import open_engine, wanted_settings
from adapters.postgres.schema import is_up_to_date
from adapters.postgres.statements import connection_of
from adapters.postgres.vital_signs import vital_signs
from application.ports.vital_signs import VitalSigns

_VERSION = text("SELECT current_setting('server_version')")
_NOW = text("SELECT clock_timestamp()")
_SET = text("SELECT name, setting FROM pg_settings UNION ALL SELECT 'role', current_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """`ahead` is how far the database's clock is before ours, right to half of `took`.

    `role` is what connections step down to, if they do. Without our schema there are no `signs`. `unfinished` are
    indexes that somebody began and did not finish.
    """

    server_version: str
    ahead: timedelta
    took: timedelta
    role: str | None
    signs: VitalSigns | None
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
    is_migrated = await is_up_to_date(connection)
    return Examined(
        server_version=str(version),
        ahead=ahead,
        took=took,
        role=await roles.present_role(connection),
        signs=await vital_signs(connection, is_migrated=True) if is_migrated else None,
        unfinished=await indexes.invalid(connection),
    )


async def is_set_up(url: str, *, role: str | None) -> bool:
    """Whether the connections of this pooler work as `role`, if there is one, and end what takes too long.

    Raises: DatabaseUnavailable.
    """
    async with (
        open_engine(url, pool_size=1, name="hallporter doctor", pooler=True) as engine,
        connection_of(engine) as connection,
    ):
        found = {(name, setting) for name, setting in await connection.execute(_SET)}
    return found >= set(wanted_settings(role).items())
