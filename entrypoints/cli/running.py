"""What commands that work on users have in common."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from application.audit.origin import Origin, acting_from
from domain.audit.audit_entry import Source
from domain.ids import UserId
from entrypoints.container import Container
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import started
from entrypoints.telemetry import configure_logging


def run[T](command: Callable[[Container], Awaitable[T]]) -> T:
    """Do something with the use cases, on the database of the settings."""
    settings = load_settings()
    # A command prints its own result; only what goes wrong is logged.
    configure_logging("WARNING", settings.effective_log_format)
    return asyncio.run(_run(settings, command))


async def _run[T](settings: Settings, command: Callable[[Container], Awaitable[T]]) -> T:
    async with started(settings) as service:
        with acting_from(Origin(source=Source.CLI)):
            return await command(service.container)


def id_or_email(text: str) -> UserId | str:
    """Who is meant by an argument."""
    try:
        return UserId(UUID(text))
    except ValueError:
        return text
