"""The application on real adapters."""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from importlib.metadata import version

from fastapi import FastAPI

from adapters.http.app import HttpConfig, create_app
from adapters.http.counting import CountedRequests
from adapters.http.limits import LEAVING
from adapters.http.route_checks import expect_declared
from adapters.http.tracing import TracedRequests
from adapters.jobs.worker import Worker
from adapters.postgres.problems import DatabaseAway
from entrypoints.malloc import share_one_heap
from entrypoints.metrics import metrics_of
from entrypoints.settings import Settings
from entrypoints.startup import PROBLEMS, started
from entrypoints.traces import traces_of
from entrypoints.waiting import AwaitedUseCases, once_there
from entrypoints.worker import stop, working

# As uvicorn ends where the start fails, which its supervisor of several processes knows not to try again.
_STARTUP_FAILURE = 3


def http_config(settings: Settings) -> HttpConfig:
    """The HTTP layer's share of the settings."""
    return HttpConfig(
        public_url=settings.public_url,
        version=version("hallporter"),
        docs=not settings.is_production,
        mailbox=settings.smtp_url is None and not settings.is_production,
        links_url=settings.links_url,
        trusted_proxies=settings.trusted_proxies,
        cors_origins=settings.cors_origins,
        allowed_hosts=settings.effective_allowed_hosts,
    )


def make_app(settings: Settings) -> FastAPI:
    """The app on real adapters, which are opened when it starts, or as soon as there is a database."""
    metrics, traces = metrics_of(settings), traces_of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Callable[[], None]]]:
        # Asked again: there may be routes of somebody else's by now.
        expect_declared(app)
        share_one_heap()
        _leave_with_parent()
        workers: list[Worker] = []

        def leave() -> None:
            # Beside the last answers and not after them: there are thirty seconds for both (fault 36).
            for worker in workers:
                stop(worker)

        async with AsyncExitStack() as running:

            async def begin() -> None:
                opening = started(settings, metrics, traces, migrates=app.state.migrates)
                service = await running.enter_async_context(opening)
                app.state.container = service.container
                if settings.worker:
                    await running.enter_async_context(working(service.worker))
                    workers.append(service.worker)

            is_there = True
            with _reported():
                try:
                    await begin()
                except DatabaseAway as away:
                    is_there = False
                    app.state.container = AwaitedUseCases(str(away))
            async with nullcontext() if is_there else _beside(once_there(begin)):
                yield {LEAVING: leave}

    app = create_app(config=http_config(settings), lifespan=lifespan)
    app.state.migrates = False
    if metrics is not None:
        app.add_middleware(CountedRequests, counts=metrics.meters)
    if traces is not None:
        app.add_middleware(TracedRequests, traces=traces.tracer, join_callers=settings.traces_join_callers)
    return app


@asynccontextmanager
async def _beside(start: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Start beside the block. What waiting does not mend ends the process, as it would have at once."""

    async def attempt() -> None:
        try:
            with _reported():
                await start
        except PROBLEMS:
            raise SystemExit(_STARTUP_FAILURE) from None

    task = asyncio.create_task(attempt(), name="start")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _leave_with_parent() -> None:
    """Stop when the process that started us is gone: nobody else would stop us, and its port would stay taken."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    loop = asyncio.get_running_loop()

    def leave() -> None:
        loop.remove_reader(parent.sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(parent.sentinel, leave)


@contextmanager
def _reported() -> Iterator[None]:
    """Say in a sentence why we cannot start, in place of the traceback that the server would log."""
    try:
        yield
    except PROBLEMS as problem:
        sys.stderr.write(f"{problem}\n")
        logging.getLogger("uvicorn.error").disabled = True
        raise
