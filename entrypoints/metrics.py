"""Being watched: what is counted, and the listener on which it is told. Where it is off, nothing of it is loaded."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from adapters.jobs.heartbeat import Heartbeat
from adapters.postgres.database import open_engine
from domain.events import Event
from domain.signing.signing_key import SigningPolicy
from entrypoints.adapters import Adapters, Workings
from entrypoints.setting_formats import host_and_port
from entrypoints.settings import Settings
from entrypoints.settings_problem import SettingsProblem
from entrypoints.telemetry import log_events

if TYPE_CHECKING:
    from adapters.metrics.meters import Meters
    from adapters.metrics.readings import Readings

# As many as `serve` starts processes, and their successors before they are gone.
_PORTS = 128
_log = structlog.get_logger("hallporter.metrics")


def metrics_of(settings: Settings) -> "Metrics | None":
    """What this process counts, where it is to be told."""
    if settings.metrics_listen is None:
        return None
    from adapters.metrics.meters import Meters  # noqa: PLC0415  (the library takes time and memory)
    from adapters.metrics.readings import Readings  # noqa: PLC0415

    readings = Readings(rotate_after=SigningPolicy().rotate_after)
    return Metrics(settings, readings, Meters(readings, version=version("hallporter")))


class Metrics:
    """Ties what is counted to those that do it, and tells Prometheus, at `port` once it is known."""

    def __init__(self, settings: Settings, readings: "Readings", meters: "Meters") -> None:
        self.meters = meters
        self.port: int | None = None
        self._settings = settings
        self._readings = readings

    def on_commit(self, events: Sequence[Event]) -> None:
        """Log and count what happened, once it counts."""
        log_events(events)
        self.meters.events_happened(events)

    def counting(self, adapters: Adapters) -> Adapters:
        """The same adapters, of which those count that can only be asked from outside."""
        from adapters.metrics.counted_mailer import CountedMailer  # noqa: PLC0415

        return replace(adapters, mailer=CountedMailer(adapters.mailer, self.meters.mail_tried))

    @asynccontextmanager
    async def told(
        self, url: str, role: str | None, workings: Workings | None, heartbeat: Heartbeat
    ) -> AsyncIterator[None]:
        """Answer Prometheus for as long as the block.

        Raises: SettingsProblem where nothing can listen.
        """
        from adapters.http.metrics_page import MetricsPage, SideServer  # noqa: PLC0415
        from adapters.postgres.vital_signs import PostgresVitalSigns  # noqa: PLC0415

        assert workings is not None  # noqa: S101  (for the type checker: they are real)
        token = self._settings.metrics_token
        page = MetricsPage(self.meters.rendered, token=token.get_secret_value() if token is not None else None)
        # A connection of its own: neither requests nor probes wait for numbers.
        async with open_engine(url, pool_size=1, name="hallporter metrics", role=role) as engine:
            self._readings.look_at(
                pool=workings.pool,
                hashing=workings.hashing,
                reader=PostgresVitalSigns(engine),
                worker_silence=lambda: heartbeat.silence,
            )
            server = SideServer(page)
            with _first_free(self._settings.metrics_listen or "") as listener:
                self.port = listener.getsockname()[1]
                _log.info("metrics.listening", port=self.port)
                serving = asyncio.create_task(server.serve(sockets=[listener]), name="metrics")
                try:
                    yield
                finally:
                    server.should_exit = True
                    await serving


def _first_free(listen: str) -> socket.socket:
    """A socket at the first free port from that one on: each process of a machine has one of its own.

    Raises: SettingsProblem.
    """
    host, first = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + _PORTS, 65_536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                reason = error.strerror or str(error)
                raise SettingsProblem(
                    [f"METRICS_LISTEN: nothing can listen on {host} port {port} ({reason})"]
                ) from error
        else:
            return listener
    raise SettingsProblem([f"METRICS_LISTEN: all ports from {first} on are taken. Set it to another"])
