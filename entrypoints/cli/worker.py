"""`hallporter worker`."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack

import typer

from entrypoints.metrics import metrics_of
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import Started, started
from entrypoints.telemetry import configure_logging
from entrypoints.traces import traces_of
from entrypoints.waiting import once_there
from entrypoints.worker import working


def worker() -> None:
    """Send mail and keep house, beside processes that were started with `serve --no-worker`. Ctrl-C stops it.

    As many as you like; each job is done by one of them.
    """
    settings = load_settings()
    configure_logging(settings.log_level, settings.effective_log_format)
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(told) is not signal.SIG_IGN:
            loop.add_signal_handler(told, stopped.set)
    metrics, traces = metrics_of(settings), traces_of(settings)
    async with AsyncExitStack() as running:

        async def begin() -> Started:
            return await running.enter_async_context(started(settings, metrics, traces))

        service = await _unless(stopped, once_there(begin))
        if service is not None:
            await running.enter_async_context(working(service.worker))
            typer.echo("The worker is running. Ctrl-C stops it.")
            await stopped.wait()


async def _unless[T](stopped: asyncio.Event, awaited: Coroutine[None, None, T]) -> T | None:
    """What it comes to, or None where we are told to stop before."""
    begun, stop = asyncio.create_task(awaited), asyncio.create_task(stopped.wait())
    await asyncio.wait({begun, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if begun.done():
        return begun.result()
    begun.cancel()
    await asyncio.wait({begun})
    return None
