"""What commands that work on users have in common."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.postgres import schema
from entrypoints.container import Container, build_container, open_adapters
from entrypoints.database import database_url
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import expect_readable_keys
from entrypoints.telemetry import configure_logging


def run[T](command: Callable[[Container], Awaitable[T]]) -> T:
    """Do something with the use cases, on the database of the settings.

    The schema is brought up to date first, except in production, where only `migrate` and `serve` change it.
    """
    settings = load_settings()
    # Events of a single command are what it prints itself; only what goes wrong is logged.
    configure_logging("WARNING", settings.effective_log_format)
    with database_url(settings) as url:
        return asyncio.run(_run(settings, url, command))


async def _run[T](settings: Settings, url: str, command: Callable[[Container], Awaitable[T]]) -> T:
    if settings.is_production:
        await schema.expect_up_to_date(url)
    else:
        await schema.migrate(url)
    async with open_adapters(settings, url) as adapters:
        container = build_container(settings, adapters)
        await expect_readable_keys(container, adapters)
        return await command(container)
