"""`hallporter migrate`."""

import asyncio

import typer

from adapters.postgres import schema
from entrypoints.database import database_url
from entrypoints.settings import load_settings
from entrypoints.telemetry import configure_logging


def migrate() -> None:
    """Bring the database schema up to date. Safe to repeat, and to run while the service is running."""
    settings = load_settings()
    configure_logging("WARNING", settings.effective_log_format)
    with database_url(settings) as url:
        applied = asyncio.run(schema.migrate(url))
    for revision in applied:
        typer.echo(f"applied {revision}")
    typer.echo("The schema is up to date." if applied else "The schema was up to date already.")
