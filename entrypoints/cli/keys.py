"""`hallporter keys …`."""

from typing import Annotated

import typer

from application.signing.list_signing_keys import ListSigningKeys
from application.signing.revoke_signing_key import RevokeSigningKey
from application.signing.rotate_signing_key import RotateSigningKey
from domain.ids import KeyId
from domain.signing.signing_key import SigningKey
from entrypoints.cli.arguments import AsJson
from entrypoints.cli.printing import print_rows
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="List, rotate and revoke the keys that sign access tokens.", no_args_is_help=True)


@app.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List all signing keys, oldest first."""

    async def command(container: Container) -> list[SigningKey]:
        return list(await container.resolve(ListSigningKeys).execute())

    rows = [
        {
            "id": key.id,
            "state": key.state.value,
            "since": key.state_since.isoformat(timespec="seconds"),
            "algorithm": key.algorithm,
        }
        for key in run(command)
    ]
    print_rows(rows, as_json=as_json, otherwise="There are no signing keys.")


@app.command()
def rotate(
    *,
    at_once: Annotated[
        bool, typer.Option("--now", help="Also if not everybody may know the next key yet: some tokens may fail.")
    ] = False,
) -> None:
    """Let the next key sign. Happens by itself every 90 days; no token fails."""
    key = run(lambda container: container.resolve(RotateSigningKey).execute(at_once=at_once))
    typer.echo(f"From now on {key.id} signs.")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]) -> None:
    """Stop believing a key that somebody else may have. Tokens that it signed fail at once."""
    run(lambda container: container.resolve(RevokeSigningKey).execute(key_id=KeyId(key_id)))
    typer.echo(f"{key_id} is revoked.")
