"""The application on real adapters."""

import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import version

from fastapi import FastAPI

from adapters.http.app import HttpConfig, create_app
from adapters.postgres import schema
from entrypoints.container import build_container, open_adapters
from entrypoints.database import database_url
from entrypoints.memory import give_freed_memory_back
from entrypoints.settings import Settings
from entrypoints.startup import PROBLEMS, expect_readable_keys


def http_config(settings: Settings) -> HttpConfig:
    """The HTTP layer's share of the settings."""
    return HttpConfig(public_url=settings.public_url, version=version("hallporter"), docs=not settings.is_production)


def make_app(settings: Settings) -> FastAPI:
    """The app on real adapters, which are opened when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        give_freed_memory_back()
        async with AsyncExitStack() as opened:
            with _reported():
                url = opened.enter_context(database_url(settings))
                if settings.is_production:
                    # There the schema changes when somebody says so: by `hallporter migrate` or `hallporter serve`.
                    await schema.expect_up_to_date(url)
                else:
                    await schema.migrate(url)
                adapters = await opened.enter_async_context(open_adapters(settings, url))
                app.state.container = build_container(settings, adapters)
                await expect_readable_keys(app.state.container, adapters)
            yield

    return create_app(config=http_config(settings), lifespan=lifespan)


@contextmanager
def _reported() -> Iterator[None]:
    """Say in a sentence why we cannot start, in place of the traceback that the server would log."""
    try:
        yield
    except PROBLEMS as problem:
        sys.stderr.write(f"{problem}\n")
        logging.getLogger("uvicorn.error").disabled = True
        raise
