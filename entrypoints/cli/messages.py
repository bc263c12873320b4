"""`hallporter messages …`."""

from typing import Annotated
from uuid import UUID

import typer

from application.messages.list_messages import ListMessages
from application.messages.retry_message import RetryMessage
from domain.ids import MessageId
from domain.messages.message import Message, MessageState
from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Show what was mailed and what could not be, and try again.", no_args_is_help=True)


@app.command("list")
def list_messages(
    *,
    state: Annotated[MessageState | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List messages, newest first. What they say is not shown."""

    async def command(container: Container) -> list[Message]:
        return list((await container.resolve(ListMessages).execute(state=state, limit=limit)).items)

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


@app.command()
def retry(message_id: Annotated[UUID, typer.Argument(help="The message's id, as `messages list` shows it.")]) -> None:
    """Have a dead message tried again, when what stood in its way is gone."""
    run(lambda container: container.resolve(RetryMessage).execute(message_id=MessageId(message_id)))
    typer.echo("The message is queued again.")
