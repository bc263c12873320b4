"""Being traced: who makes spans, and who sends them. Where it is off, nothing of it is loaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from entrypoints.adapters import Adapters
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from adapters.traces.sending import Sending


def traces_of(settings: Settings) -> "Traces | None":
    """What this process makes of its requests and jobs, where somebody keeps traces."""
    if not settings.traces:
        return None
    from adapters.traces.sending import Sending, otlp  # noqa: PLC0415  (the libraries take time and memory)

    return Traces(Sending(otlp, version=version("hallporter")))


class Traces:
    """Ties spans to those that do what they are of, and sends them."""

    def __init__(self, sending: "Sending") -> None:
        self.tracer = sending.tracer
        self._sending = sending

    def tracing(self, adapters: Adapters) -> Adapters:
        """The same adapters, of which those are traced that take time."""
        from adapters.traces.traced_mailer import TracedMailer  # noqa: PLC0415
        from adapters.traces.traced_unit_of_work import TracedUnitOfWork  # noqa: PLC0415

        if adapters.workings is not None:
            adapters.workings.hashing.watch = self.tracer.hashing
        return replace(
            adapters,
            unit_of_work=TracedUnitOfWork(adapters.unit_of_work, self.tracer),
            mailer=TracedMailer(adapters.mailer, self.tracer),
        )

    @asynccontextmanager
    async def sent(self) -> AsyncIterator[None]:
        """Send them for as long as the block, and for a moment longer what is left."""
        async with self._sending.sent():
            yield
