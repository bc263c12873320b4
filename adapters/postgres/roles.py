"""The role that the service works as: it can use the tables, and change neither them nor the audit log (SK-06).

Whoever migrates owns the tables, makes the role if it may, and gives it its rights, again each time that something is
missing. Roles belong to all databases of a server: it is never dropped. Only our own tables are spoken of, for there
may be others in the same schema.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres import jobs
from adapters.postgres.errors import NOT_PERMITTED, sqlstate_of
from adapters.postgres.models import AuditCheckpointModel, AuditEntryModel, AuditProofModel, Base

APPLICATION_ROLE = "hallporter_app"

_USE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_ONLY_ADD = frozenset({"SELECT", "INSERT"})
_RIGHTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys([*Base.metadata.tables, *jobs.TABLES], _USE),
    AuditEntryModel.__tablename__: frozenset({"SELECT"}),
    AuditCheckpointModel.__tablename__: _ONLY_ADD,
    AuditProofModel.__tablename__: _ONLY_ADD,
}
# What is destroyed of a person, and the place in the chain; neither the entry that it belongs to, nor the row itself.
_CHANGEABLE = f"UPDATE (personal, position, chain_hash) ON {AuditProofModel.__tablename__}"
# All of an entry but its number: nobody writes into the past.
_ADDABLE = ", ".join(column.name for column in AuditEntryModel.__table__.columns if column.name != "sequence")
_OF_COLUMNS = (
    (AuditProofModel.__tablename__, "personal", "UPDATE"),
    (AuditEntryModel.__tablename__, "id", "INSERT"),
    (AuditEntryModel.__tablename__, "sequence", "INSERT"),
)
_WANTED_OF_COLUMNS = {
    (AuditProofModel.__tablename__, "UPDATE (personal)"),
    (AuditEntryModel.__tablename__, "INSERT (id)"),
}

_EXISTS_BY_NOW = {"42710", "23505", "XX000"}  # made by another database's migration at this moment

_MAY_GRANT = text(
    "SELECT count(*) = :tables AND bool_and(pg_has_role(current_user, relowner, 'USAGE')) FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = ANY(:names)"
)
_EXISTS = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_PRESENT = text(
    "SELECT relname, privilege FROM pg_class "
    "CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = ANY(:names) "
    "AND has_table_privilege(CAST(:role AS name), pg_class.oid, privilege) "
    "UNION ALL SELECT relname, granted || ' (' || column_name || ')' FROM pg_class "
    "JOIN unnest(CAST(:tables AS text[]), CAST(:columns AS text[]), CAST(:granted AS text[])) "
    "AS asked (table_name, column_name, granted) ON table_name = relname "
    "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' "
    "AND has_column_privilege(CAST(:role AS name), pg_class.oid, column_name, granted)"
)
_SEQUENCES = text(
    "SELECT sequence.oid::regclass::text FROM pg_class sequence JOIN pg_depend ON objid = sequence.oid "
    "JOIN pg_class owner ON owner.oid = refobjid WHERE sequence.relkind = 'S' AND deptype = 'a' "
    "AND owner.relnamespace = current_schema()::regnamespace AND owner.relname = ANY(:names)"
)
_MAY_BECOME = text("SELECT pg_has_role(session_user, CAST(:role AS name), 'SET')")


def restrict(connection: Connection, version_table: str) -> None:
    """Give the role its rights in this database, as far as this user may; those that it has are left as they are."""
    rights = {**_RIGHTS, version_table: frozenset({"SELECT"})}
    owned = connection.execute(_MAY_GRANT, {"names": [*rights], "tables": len(rights)}).scalar_one()
    if not owned or not _made(connection) or _has(connection, rights):
        return
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for statement in _grants(rights):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {APPLICATION_ROLE}")
    for sequence in connection.execute(_SEQUENCES, {"names": [*rights]}).scalars():
        connection.exec_driver_sql(f"GRANT USAGE, SELECT ON SEQUENCE {sequence} TO {APPLICATION_ROLE}")


async def present_role(connection: AsyncConnection) -> str | None:
    """The role, if it has its rights here and this user may step down to it; None where the user stays what it is."""
    if not (await connection.execute(_EXISTS, {"role": APPLICATION_ROLE})).scalar_one():
        return None
    may_become = (await connection.execute(_MAY_BECOME, {"role": APPLICATION_ROLE})).scalar_one()
    return APPLICATION_ROLE if may_become and await connection.run_sync(_has, _RIGHTS) else None


def _grants(rights: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for table, granted in rights.items():
        yield f"REVOKE ALL ON {table} FROM {APPLICATION_ROLE}"
        yield f"GRANT {', '.join(sorted(granted))} ON {table} TO {APPLICATION_ROLE}"
    yield f"GRANT {_CHANGEABLE} TO {APPLICATION_ROLE}"
    yield f"GRANT INSERT ({_ADDABLE}) ON {AuditEntryModel.__tablename__} TO {APPLICATION_ROLE}"


def _made(connection: Connection) -> bool:
    """Whether the role is there, made now if need be."""
    if not connection.execute(_EXISTS, {"role": APPLICATION_ROLE}).scalar_one():
        made = _tried(connection, f"CREATE ROLE {APPLICATION_ROLE} NOLOGIN")
        if not made:
            return False
    if not connection.execute(_MAY_BECOME, {"role": APPLICATION_ROLE}).scalar_one():
        user = connection.exec_driver_sql("SELECT quote_ident(session_user)").scalar_one()
        # Who made it may give it to itself, to step down; whoever did not goes on without.
        _tried(connection, f"GRANT {APPLICATION_ROLE} TO {user} WITH INHERIT FALSE, SET TRUE")
    return True


def _tried(connection: Connection, statement: str) -> bool:
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        state = sqlstate_of(error)
        if state in _EXISTS_BY_NOW:
            return True
        if state == NOT_PERMITTED:
            return False
        raise
    return True


def _has(connection: Connection, rights: Mapping[str, frozenset[str]]) -> bool:
    """Whether the role has these rights, and no others."""
    tables, columns, granted = (list(each) for each in zip(*_OF_COLUMNS, strict=True))
    asked = {"names": [*rights], "role": APPLICATION_ROLE, "tables": tables, "columns": columns, "granted": granted}
    present = {(table, privilege) for table, privilege in connection.execute(_PRESENT, asked)}
    wanted = {(table, privilege) for table, granted_all in rights.items() for privilege in granted_all}
    return present == wanted | _WANTED_OF_COLUMNS
