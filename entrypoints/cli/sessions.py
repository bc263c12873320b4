"""`hallporter sessions …`."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapters.http.schemas.sign_in_attempts import SignInAttemptResponse
from application.admin.explain_sign_in import ExplainSignIn
from domain.sessions.sign_in_attempt import SignInAttempt
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Say why a sign-in was refused.", no_args_is_help=True)


@app.command()
def why(
    reference: Annotated[str, typer.Argument(help="What the person was shown: 7F3K-Q2MX-9RTB, however it is written.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Say why a sign-in was refused, step by step. That you looked is written down."""

    async def command(container: Container) -> SignInAttempt:
        return await container.resolve(ExplainSignIn).execute(reference=reference)

    attempt = run(command)
    shown = SignInAttemptResponse.of(attempt)
    if as_json:
        typer.echo(shown.model_dump_json(indent=2))
        return
    for name, value in shown.model_dump(mode="json", exclude={"steps", "shared"}).items():
        typer.echo(f"{name.replace('_', ' '):<18}{value if value is not None else '-'}")
    if attempt.shared:
        typer.echo("\nEverybody whom this limit told to wait in that hour has this reference; above is the first.")
    typer.echo()
    table = Table("step", "outcome", box=None, pad_edge=False)
    for step in attempt.steps:
        table.add_row(*(word.replace("_", " ") for word in (step.check, step.outcome)))
    Console().print(table)
