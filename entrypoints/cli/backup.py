"""`hallporter backup`, `restore` and `restored`."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.postgres.embedded import embedded_server
from application.upkeep.begin_anew import BeginAnew
from entrypoints.cli.running import run
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import StartupProblem

_YES = typer.Option("--yes", help="Do it.")


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; it must not be there yet.", dir_okay=False)],
) -> None:
    """Write all data of the embedded server into a file, while the service goes on."""
    settings = _of_embedded(load_settings(), "back that up by: pg_dump --format=custom")
    if file.exists():
        message = f"{file} is there already. Name another file, or move it away."
        raise StartupProblem(message)
    if not file.absolute().parent.is_dir():
        message = f"There is no folder {file.absolute().parent}. Make it first."
        raise StartupProblem(message)
    with embedded_server(settings.hallporter_home) as server:
        server.dump(file.absolute())
    kept = "SECRET_KEY" if settings.secret_key is not None else str(settings.hallporter_home / "secret-key")
    typer.echo(f"Wrote {file}. Keep {kept} too, elsewhere: without it nobody's password can be checked.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `backup` wrote.", exists=True, dir_okay=False, readable=True)],
    *,
    yes: Annotated[bool, _YES] = False,
) -> None:
    """Put a backup in place of all data of the embedded server. Everybody has to sign in again."""
    settings = _of_embedded(load_settings(), "restore that by pg_restore, and then run: hallporter restored --yes")
    if not yes:
        message = "What is in the database now will be gone. Say --yes if that is meant."
        raise StartupProblem(message)
    with embedded_server(settings.hallporter_home) as server:
        server.restore(file.absolute())
    _begin_anew()


def restored(*, yes: Annotated[bool, _YES] = False) -> None:
    """Say that the database was restored from a backup: whatever is good once goes, and everybody signs in again.

    `restore` does it by itself. Without it, tokens and codes that were used up since the backup would work again.
    """
    if not yes:
        message = "Everybody will have to sign in again, and to make new recovery codes. Say --yes if that is meant."
        raise StartupProblem(message)
    _begin_anew()


def _begin_anew() -> None:
    run(lambda container: container.resolve(BeginAnew).execute())
    typer.echo("Restored. Every session has ended, and what was good once is good no more.")


def _of_embedded(settings: Settings, otherwise: str) -> Settings:
    if settings.database_url is not None:
        message = f"DATABASE_URL names a server of yours: {otherwise}. More is in docs/backup.md."
        raise StartupProblem(message)
    return settings
