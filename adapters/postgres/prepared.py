"""Statements of the hot path: put into the driver's language once, and not anew at each request.

Writing a statement down in SQLAlchemy and having it compiled, cached or not, takes many times as long as PostgreSQL
takes to answer it.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, FromClause, Select, UpdateBase, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]  # it says nothing of types


class Prepared:
    """A statement with named values left open (`bindparam`), as asyncpg takes it.

    `writes` is said of a query around writes.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]] | UpdateBase, *, writes: bool = False) -> None:
        self.statement = statement
        compiled = statement.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  (for the type checker: it is no DDL)
        self.sql = str(compiled)
        self.writes = writes or isinstance(statement, UpdateBase)
        self._names = tuple(compiled.positiontup or ())
        self._given = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        processors = (
            (name, compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) for name in self._names
        )
        self._processors = {name: process for name, process in processors if process is not None}
        self._row: Any = namedtuple("Row", [column.name for column in statement.exported_columns])  # type: ignore[misc]  # noqa: PYI024

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """The values in the order of their places."""
        named = {**self._given, **values}
        for name, process in self._processors.items():
            named[name] = process(named[name])
        return [named[name] for name in self._names]

    def row(self, record: Iterable[object]) -> Any:  # noqa: ANN401  (has the columns of the statement)
        """What the driver found, read by names as SQLAlchemy's rows are."""
        return self._row._make(record)


def open_row(table: FromClause, *, prefix: str = "new_") -> Mapping[str, BindParameter[Any]]:
    """A row of which every value is left open, named as its column with a prefix."""
    return {own.name: bindparam(prefix + own.name, type_=own.type) for own in table.c}


def filled_row(row: Mapping[str, object], *, prefix: str = "new_") -> Mapping[str, object]:
    """The values of such a row."""
    return {prefix + name: value for name, value in row.items()}
