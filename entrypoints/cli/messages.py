"""`hallporter messages …`."""

from typing import Annotated

import typer

from application.messages.list_messages import ListMessages
from domain.messages.message import Message, MessageState
from entrypoints.cli.printing import AsJson, print_rows
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Show what was mailed, and what could not be.", no_args_is_help=True)


@app.command("list")
def list_messages(
    *,
    state: Annotated[MessageState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
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
    print_rows(
        rows,
        as_json=as_json,
        otherwise="There are no such messages." if state is not None else "There are no messages.",
    )
