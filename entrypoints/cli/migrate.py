"""`hallporter migrate`."""

import asyncio

import typer

from adapters.postgres import schema
from adapters.postgres.roles import APPLICATION_ROLE
from entrypoints.database import database_url
from entrypoints.settings import load_settings
from entrypoints.telemetry import configure_logging

_UNRESTRICTED = (
    "The service works with all rights of this user, and could change the audit log. Have an administrator of the "
    f"database run: CREATE ROLE {APPLICATION_ROLE} NOLOGIN; GRANT {APPLICATION_ROLE} TO this user. Then run this "
    "again. More is in docs/audit.md."
)


def migrate() -> None:
    """Bring the database schema up to date. Safe to repeat, and to run while the service is running."""
    settings = load_settings()
    configure_logging("WARNING", settings.effective_log_format)
    with database_url(settings) as url:
        applied = asyncio.run(schema.migrate(url))
        role = asyncio.run(schema.application_role(url))
    for revision in applied:
        typer.echo(f"applied {revision}")
    typer.echo("The schema is up to date." if applied else "The schema was up to date already.")
    if role is None:
        typer.echo(_UNRESTRICTED)
