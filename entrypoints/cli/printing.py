"""What commands print: tables for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence

import typer

# Never cut: whoever wants less width has --json.
_WIDEST_LINE = 500


def print_rows(
    rows: Sequence[Mapping[str, object]], *, as_json: bool, otherwise: str, hidden: Sequence[str] = ()
) -> None:
    """Rows of the same columns; `otherwise` tells people that there are none. What is `hidden` is for scripts alone."""
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo(otherwise)
        return
    shown = [name for name in rows[0] if name not in hidden]
    print_table([name.replace("_", " ") for name in shown], [[_readable(row[name]) for name in shown] for row in rows])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows as people read them, each in a line of its own however long."""
    # Commands that print none, `serve` above all, do without what this takes.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=_WIDEST_LINE).print(table, crop=False)


def print_fields(fields: Mapping[str, object], *, as_json: bool) -> None:
    """One thing, a field a line."""
    if as_json:
        typer.echo(json.dumps(fields, indent=2))
        return
    width = max(map(len, fields)) + 2
    for name, value in fields.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}{_readable(value)}")


def _readable(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_readable, value))
        case dict():
            return ", ".join(f"{name} {_readable(inner)}" for name, inner in value.items() if inner is not None)
        case _:
            return str(value)
