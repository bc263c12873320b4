"""`hallporter serve`."""

import asyncio
import errno
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib.metadata import version
from types import FrameType
from typing import Annotated, NoReturn, override

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from adapters.http.server import DrainingServer, server_config
from adapters.postgres import schema
from adapters.postgres.problems import DatabaseAway
from entrypoints.database import database_url
from entrypoints.settings import Settings, load_settings
from entrypoints.startup import StartupProblem
from entrypoints.telemetry import configure_logging

_BACKLOG = 2048


def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve requests.")] = 1,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Leave mail and housekeeping to `hallporter worker`.")
    ] = False,
) -> None:
    """Start the service.

    That is the database if it is the embedded one, its schema, the API, and a worker for mail. Ctrl-C stops it all.
    A database of DATABASE_URL that does not answer is waited for.
    """
    # Being told to stop, and a terminal that closes, must unwind the blocks below as Ctrl-C does, or the embedded
    # server would stay. Under nohup the latter is ignored already, and remains so.
    for told in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(told) is signal.SIG_DFL:
            signal.signal(told, _leave)
    settings = load_settings()
    configure_logging(settings.log_level, settings.effective_log_format)
    with _listening(host, port) as listener, database_url(settings) as url:
        applied, app, awaited = _migrated(url)
        typer.echo(_banner(settings, listener, applied, awaited, works=settings.worker and not no_worker))
        sys.stdout.flush()
        if "public_url" not in settings.model_fields_set:
            # The workers read the settings anew, and what they issue must name the port that was really taken.
            os.environ["PUBLIC_URL"] = _address(listener)
        if no_worker:
            os.environ["WORKER"] = "false"
        config = server_config(app, workers=workers)
        with suppress(KeyboardInterrupt):
            _run(config, listener)


def _migrated(url: str) -> tuple[list[str], str, str | None]:
    """The migrations that were applied, the application to serve, and why its database is waited for, if it is."""
    try:
        return asyncio.run(schema.migrate(url)), "entrypoints.api:app", None
    except DatabaseAway as away:
        return [], "entrypoints.awaiting:app", str(away)


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    if config.workers > 1:
        processes = _Processes(config, sockets=[listener])
        processes.run()
        if any(process.exitcode == STARTUP_FAILURE for process in processes.processes):
            raise SystemExit(STARTUP_FAILURE)
        return
    server = DrainingServer(config)
    server.run(sockets=[listener])
    if not server.started:
        raise SystemExit(STARTUP_FAILURE)


class _Processes(Multiprocess):
    """Several, of which none takes connections once they were told to end: else those would wait for nobody."""

    @override
    def terminate_all(self) -> None:
        super().terminate_all()
        for listener in self.sockets:
            listener.close()


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With the protocol named: asyncio turns Nagle's algorithm off only on sockets that say they are TCP, and with
        # it on, every second answer waits 40 milliseconds.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
        advice = "Choose another with --port." if taken else "Choose an address of this machine with --host."
        message = f"Nothing can listen on {host} port {port} ({error.strerror or error}). {advice}"
        raise StartupProblem(message) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    # Listening everywhere is no address that one could call.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _mail(settings: Settings, address: str) -> str:
    if settings.smtp_url is not None:
        return "SMTP_URL"
    return f"{address}/dev/mailbox"


def _banner(
    settings: Settings, listener: socket.socket, applied: list[str], awaited: str | None, *, works: bool
) -> str:
    address = _address(listener)
    lines = [f"Hallporter {version('hallporter')}", f"  API       {address}/v1"]
    if not settings.is_production:
        lines.append(f"  Docs      {address}/docs")
    home = settings.hallporter_home.expanduser().absolute()
    lines.append(f"  Data      {f'embedded PostgreSQL in {home}' if settings.database_url is None else 'DATABASE_URL'}")
    lines.append(f"  Mail      {_mail(settings, address)}")
    if not works:
        public = "" if "public_url" in settings.model_fields_set else f"PUBLIC_URL={address} "
        lines.append(f"  Worker    none here: mail waits until one runs. Start it: {public}hallporter worker")
    if awaited is not None:
        lines.append(f"  Waiting   {awaited}")
    if applied:
        lines.append(f"  Schema    {len(applied)} migration(s) applied")
    lines.append("  Stop      Ctrl-C")
    return "\n".join(lines)
