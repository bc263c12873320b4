"""Indexes that are built while others serve, and what is left of those that were not finished (fault 30).

Such an index takes no lock that anybody waits for, and no part in a transaction: whatever dies half-way leaves it
behind as invalid. It serves no query then, and slows every write.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    # Loaded by those who migrate alone: it takes time and memory.
    from alembic.operations import Operations

# One that somebody is building at this moment is not valid either.
_INVALID = text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
    "WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace "
    "AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index WHERE index_relid IS NOT NULL) "
    "ORDER BY 1"
)
_IS_INVALID = text("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid)")
# What REINDEX CONCURRENTLY calls its work while it is not done.
_UNFINISHED = ("_ccnew", "_ccold")


async def invalid(connection: AsyncConnection) -> list[str]:
    """The names of the indexes that somebody began and did not finish, quoted where that is needed."""
    return list((await connection.execute(_INVALID)).scalars())


async def mend(connection: AsyncConnection) -> tuple[list[str], list[str]]:
    """Build the invalid indexes anew, while others read and write; those that are mended, and those that cannot be.

    `connection` commits each statement by itself.
    """
    mended, broken = [], []
    for name in await invalid(connection):
        unfinished = name.strip('"').rstrip("0123456789").endswith(_UNFINISHED)
        # Whole, or not at all: what is rebuilt stays in place until it is replaced.
        statement = f"DROP INDEX CONCURRENTLY {name}" if unfinished else f"REINDEX INDEX CONCURRENTLY {name}"
        try:
            await connection.exec_driver_sql(statement)
        except DBAPIError:
            broken.append(name)
        else:
            mended.append(name)
    return mended, broken


@contextmanager
def built_beside(operations: "Operations", names: Sequence[str]) -> Iterator[None]:
    """Where a migration builds the indexes of these names, each with `postgresql_concurrently=True`.

    The block is outside of the migration's transaction, and waits for older transactions for as long as they take:
    nobody waits for it. What an attempt before has left unfinished is removed first; one that it has finished is kept
    by `if_not_exists=True`.
    """
    with operations.get_context().autocommit_block():
        for name in [] if operations.get_context().as_sql else names:
            if operations.get_bind().execute(_IS_INVALID, {"name": name}).scalar_one():
                operations.drop_index(name, postgresql_concurrently=True)
        yield
