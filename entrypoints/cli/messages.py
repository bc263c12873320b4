"""`hallporter messages …`."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from application.messages.list_messages import ListMessages
from domain.messages.message import Message, MessageState
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Show what was mailed, and what could not be.", no_args_is_help=True)

_WIDEST_LINE = 500


@app.command("list")
def list_messages(
    *,
    state: Annotated[MessageState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """List messages, newest first. What they say is not shown."""

    async def command(container: Container) -> list[Message]:
        return list(await container.resolve(ListMessages).execute(state=state, limit=limit))

    rows = [
        {
            "id": str(message.id),
            "kind": message.kind.value,
            "recipient": message.recipient.display,
            "state": message.state.value,
            "attempts": message.attempts,
            "last_error": message.last_error,
            "created_at": message.created_at.isoformat(timespec="seconds"),
        }
        for message in run(command)
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        typer.echo("There are no such messages." if state is not None else "There are no messages.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), no_wrap=True)
    for row in rows:
        table.add_row(*(escape(str(value)) if value is not None else "" for value in row.values()))
    Console(width=_WIDEST_LINE).print(table, crop=False)
