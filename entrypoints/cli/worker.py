"""`hallporter worker`."""

import asyncio
import signal

import typer

from entrypoints.metrics import metrics_of
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import started
from entrypoints.telemetry import configure_logging
from entrypoints.traces import traces_of
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
    async with started(settings, metrics_of(settings), traces_of(settings)) as service, working(service.worker):
        typer.echo("The worker is running. Ctrl-C stops it.")
        await stopped.wait()
