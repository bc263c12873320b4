"""The command `hallporter`."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from entrypoints.loading import loading

with loading():
    from domain.errors import InvalidInput
    from entrypoints.cli import (
        audit,
        backup,
        config,
        doctor,
        factors,
        jobs,
        keys,
        messages,
        openapi,
        serve,
        sessions,
        upgrade,
        users,
        worker,
    )
    from entrypoints.startup import PROBLEMS

app = typer.Typer(
    name="hallporter",
    help="User accounts and sign-in, self-hosted. Settings come from the environment and .env; without DATABASE_URL "
    "every command works on an embedded PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("upgrade")(upgrade.upgrade)
app.command("migrate")(upgrade.migrate)
app.command("openapi")(openapi.openapi)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("restored")(backup.restored)
app.command("config")(config.config)
app.command("doctor")(doctor.doctor)
users.app.add_typer(factors.app, name="factors")
app.add_typer(users.app, name="users")
app.add_typer(sessions.app, name="sessions")
app.add_typer(keys.app, name="keys")
app.add_typer(messages.app, name="messages")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audit.app, name="audit")


def _on_version(wanted: bool) -> None:  # noqa: FBT001  (typer's signature)
    if wanted:
        typer.echo(f"hallporter {metadata.version('hallporter')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_on_version)
    ] = False,
) -> None:
    """What goes before the command."""


def main() -> None:
    """Run the command line. What people can mend is said in a sentence, exit code 1; bugs keep their traceback."""
    try:
        app()
    except InvalidInput as problem:
        for violation in problem.violations:
            sys.stderr.write(f"{violation.field}: {violation.detail}\n")
        sys.exit(1)
    except PROBLEMS as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(1)
