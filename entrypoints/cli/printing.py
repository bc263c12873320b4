"""What commands print: tables for people, JSON for scripts."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
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
    table = Table(box=None, pad_edge=False)
    shown = [name for name in rows[0] if name not in hidden]
    for name in shown:
        table.add_column(name.replace("_", " "), no_wrap=True)
    for row in rows:
        table.add_row(*(escape(_readable(row[name])) for name in shown))
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
