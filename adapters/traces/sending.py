"""Sending spans, beside everything else: nobody waits for who keeps them, and what is not taken is dropped."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from adapters.traces.tracer import Tracer

# Seconds for what is left when we stop. Whoever keeps traces may be gone, and others wait for us to be.
_PATIENCE = 3.0
_log = structlog.get_logger("hallporter.traces")


class Sending:
    """Makes spans by its `tracer`, and sends them in batches from a thread, by what `open_exporter` opens.

    How many in a batch, how often, and which: that is said by OpenTelemetry's variables, such as `OTEL_BSP_…`.
    """

    def __init__(self, open_exporter: Callable[[], SpanExporter], *, version: str, patience: float = _PATIENCE) -> None:
        self._open_exporter = open_exporter
        self._patience = patience
        ours = Resource.create({"service.name": "hallporter", "service.version": version})
        # Asked once more, for what operators say goes before what we say.
        self._provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        self.tracer = Tracer(self._provider, version=version)

    @asynccontextmanager
    async def sent(self) -> AsyncIterator[None]:
        """Send for as long as the block, and then what is left, for `patience` seconds at most."""
        self._provider.add_span_processor(BatchSpanProcessor(_Reported(self._open_exporter())))
        try:
            yield
        finally:
            # In a thread that nobody waits for when the process ends.
            last = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
            last.start()
            await asyncio.to_thread(last.join, self._patience)


def otlp() -> SpanExporter:
    """Sends by OTLP over HTTP, to where `OTEL_EXPORTER_OTLP_ENDPOINT` and its relatives say."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter()


class _Reported(SpanExporter):
    """Another exporter, and a line when nobody takes what it sends, and when somebody does again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        is_taken = result is SpanExportResult.SUCCESS
        if is_taken != self._is_taken:
            self._is_taken = is_taken
            (_log.info if is_taken else _log.warning)("traces.taken_again" if is_taken else "traces.not_taken")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
