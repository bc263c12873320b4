"""Is the database there, and of the right schema?"""

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.schema import is_up_to_date
from adapters.postgres.statements import connection_of
from application.ports.readiness import Readiness
from application.ports.unit_of_work import DatabaseUnavailable


class PostgresReadiness:
    """`Readiness` of the database. Once the schema has been seen complete, only the connection is tried."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._schema_complete = False

    async def problems(self) -> Sequence[str]:
        try:
            async with connection_of(self._engine) as connection:
                if self._schema_complete:
                    await connection.exec_driver_sql("SELECT 1")
                else:
                    self._schema_complete = await is_up_to_date(connection)
        except (DatabaseUnavailable, SQLAlchemyError):
            return ["The database does not answer."]
        return [] if self._schema_complete else ["The database lacks migrations: run hallporter migrate."]


def _is_readiness(postgres: PostgresReadiness) -> Readiness:
    return postgres
