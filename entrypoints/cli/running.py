"""What commands that work on users have in common."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from application.audit.origin import Origin, acting_from
from application.users.get_user import GetUser
from domain.audit.audit_entry import Source
from domain.ids import UserId
from domain.users.user import User
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


def find(who: str) -> User:
    """The user of an id or an e-mail address."""
    return run(lambda container: _find(container, who))


def run_for[T](who: str, command: Callable[[Container, User], Awaitable[T]]) -> tuple[User, T]:
    """Do something with the use cases for a user; who that was before, and what came of it."""

    async def find_and_do(container: Container) -> tuple[User, T]:
        user = await _find(container, who)
        return user, await command(container, user)

    return run(find_and_do)


async def _find(container: Container, who: str) -> User:
    try:
        meant: UserId | str = UserId(UUID(who))
    except ValueError:
        meant = who
    return await container.resolve(GetUser).execute(who=meant)
