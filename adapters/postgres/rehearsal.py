"""Making migrations on a copy of a database, and looking at what they hold up there, and for how long."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from adapters.postgres import schema
from adapters.postgres.problems import DatabaseProblem

# From the weakest to the strongest (PostgreSQL manual, 13.3), and who waits for it; reading a table takes the first,
# `FOR UPDATE` the second, writing the third.
_WAITS = {
    "AccessShareLock": "",
    "RowShareLock": "writes of the same rows",
    "RowExclusiveLock": "writes of the same rows",
    "ShareUpdateExclusiveLock": "",
    "ShareLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ExclusiveLock": "writes",
    "AccessExclusiveLock": "reads and writes",
}
_STRENGTH = list(_WAITS)

_TABLES = text(
    "SELECT oid, relname AS name, pg_relation_filenode(oid) AS file, greatest(reltuples, 0)::bigint AS rows, "
    "pg_total_relation_size(oid) AS bytes FROM pg_class "
    "WHERE relkind IN ('r', 'p', 'm') AND relnamespace = current_schema()::regnamespace AND relname <> :versions"
)
_FILES = text("SELECT oid, pg_relation_filenode(oid) FROM pg_class WHERE oid = ANY(CAST(:oids AS oid[]))")
_HELD = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedTable:
    """A table that was there before, and the strongest lock that a migration held on it when it ended.

    `waits` says whose requests wait meanwhile; it is empty where nobody's do. `rows` is PostgreSQL's estimate, `bytes`
    are with indexes. One that is `rewritten` was copied row by row under the lock.
    """

    table: str
    mode: str
    waits: str
    rows: int
    bytes: int
    rewritten: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A migration as it went on the copy: `seconds` from its first statement to its last commit.

    What it does `beside` others is no part of its transaction, and holds up nobody.
    """

    revision: str
    title: str
    seconds: float
    beside: bool
    tables: Sequence[LockedTable]

    @property
    def holds_up(self) -> list[str]:
        """The tables on which requests wait until it ends."""
        return [table.table for table in self.tables if table.waits]


@dataclass(slots=True)
class _Watch:
    """What is seen of one migration."""

    began: float | None = None
    ended: float = 0.0
    beside: bool = False
    held: dict[int, str] = field(default_factory=dict)


async def rehearse(url: str) -> list[Rehearsed]:
    """Make every migration that is missing in a copy, one after the other.

    Raises: DatabaseProblem where one fails.
    """
    async with schema.connected(url) as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        # A copy knows nothing of its rows yet, by which it plans, and we report.
        await connection.exec_driver_sql("ANALYZE")
    async with schema.connected(url) as connection:
        titles = await connection.run_sync(schema.missing_revisions)
        return [await connection.run_sync(_made, revision) for revision in titles]


def _made(connection: Connection, revision: str) -> Rehearsed:
    tables = connection.execute(_TABLES, {"versions": schema.VERSION_TABLE}).all()
    connection.rollback()
    with _watching(connection) as watch:
        try:
            schema.run_migrations(connection, revision, give_rights=False)
        except DBAPIError as error:
            message = (
                f"Migration {revision} fails on the copy: {str(error.orig).rpartition(': ')[2]}. "
                "The database itself is as it was."
            )
            raise DatabaseProblem(message) from error
    found = connection.execute(_FILES, {"oids": [table.oid for table in tables]})
    files: dict[int, int] = {oid: file for oid, file in found}  # noqa: C416  (rows are no pairs for the type checker)
    connection.rollback()
    return Rehearsed(
        revision=revision,
        title=schema.title_of(connection, revision),
        seconds=watch.ended - (watch.began or watch.ended),
        beside=watch.beside,
        tables=[
            LockedTable(
                table=table.name,
                mode=_as_written(watch.held[table.oid]),
                waits=_WAITS[watch.held[table.oid]],
                rows=table.rows,
                bytes=table.bytes,
                rewritten=files.get(table.oid, table.file) != table.file,
            )
            for table in sorted(tables, key=lambda table: str(table.name))
            if table.oid in watch.held
        ],
    )


@contextmanager
def _watching(connection: Connection) -> Iterator[_Watch]:
    """Look at each transaction that begins and commits on this connection."""
    watch = _Watch()

    def begin(_: Connection) -> None:
        watch.began = watch.began or perf_counter()

    def commit(connection: Connection) -> None:
        watch.ended = perf_counter()
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            watch.beside = True
            return
        # On the driver's side: for SQLAlchemy the transaction is already about to end.
        cursor = connection.connection.cursor()
        cursor.execute(_HELD)
        for oid, mode in cursor.fetchall():
            watch.held[oid] = max(mode, watch.held.get(oid, mode), key=_STRENGTH.index)
        cursor.close()

    event.listen(connection, "begin", begin)
    event.listen(connection, "commit", commit)
    try:
        yield watch
    finally:
        event.remove(connection, "begin", begin)
        event.remove(connection, "commit", commit)


def _as_written(mode: str) -> str:
    """`AccessExclusiveLock` as the manual and SQL write it."""
    return "".join(f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock")).strip().upper()
