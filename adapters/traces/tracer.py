"""Spans, in OpenTelemetry's words. Nothing in them comes from a caller but an id of the request that is a UUID.

They are made by hand and by this provider alone: libraries that look for the global one find none, and cannot add what
they think is worth knowing, such as addresses with what stands behind the question mark.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from domain.errors import DomainError, Unavailable

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR = 500
_DATABASE: Mapping[str, str] = {"db.system.name": "postgresql"}


class Tracer:
    """Makes spans. Those in the block of another one are its children."""

    def __init__(self, provider: TracerProvider, *, version: str) -> None:
        self._tracer = provider.get_tracer("hallporter", version)

    @contextmanager
    def request(self, method: str, traceparent: str | None) -> Iterator["RequestSpan"]:
        """The block answers a request: a trace of its own, or of the caller who names one (W3C Trace Context)."""
        is_known = method in _METHODS
        attributes = {"http.request.method": method if is_known else "_OTHER"}
        name = method if is_known else "HTTP"
        with self._span(name, SpanKind.SERVER, attributes, parent=_parent(traceparent)) as span:
            yield RequestSpan(span, name)

    @contextmanager
    def work(self, name: str) -> Iterator[None]:
        """The block does something that nobody waits for: a trace of its own."""
        with self._span(name, SpanKind.CONSUMER, parent=Context()):
            yield

    @contextmanager
    def database(self, name: str) -> Iterator[None]:
        """The block is one of the database's: it gets a connection, and has it until its end."""
        with self._span(name, SpanKind.CLIENT, _DATABASE):
            yield

    @contextmanager
    def mail(self) -> Iterator[None]:
        """The block hands a mail to the next hop."""
        with self._span("mail", SpanKind.CLIENT):
            yield

    def hashing[T](self, work: Callable[[], T]) -> Callable[[], T]:
        """The same work, in whichever thread: how long it waits from now on, and how long it takes."""
        present, queued = get_current(), time.time_ns()

        def watched() -> T:
            begun = time.time_ns()
            try:
                return work()
            finally:
                self._past("hashing wait", present, queued, begun)
                self._past("hashing", present, begun, time.time_ns())

        return watched

    def _past(self, name: str, parent: Context, begun: int, ended: int) -> None:
        self._tracer.start_span(name, context=parent, start_time=begun).end(ended)

    @contextmanager
    def _span(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, str] | None = None,
        *,
        parent: Context | None = None,
    ) -> Iterator[Span]:
        span = self._tracer.start_span(name, context=parent, kind=kind, attributes=attributes)
        token = attach(set_span_in_context(span))
        try:
            yield span
        except BaseException as error:
            if _is_failure(error):
                # By its class alone, and not as the library records it: what errors say may be about persons.
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
            raise
        finally:
            detach(token)
            span.end()


class RequestSpan:
    """The span of a request that is being answered."""

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method

    def answered(self, *, route: str | None, status: int | None, request_id: UUID | None) -> None:
        """Say what is known at its end. `route` is its template; without a status the caller was gone."""
        if route is not None:
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute("http.route", route)
        if request_id is not None:
            self._span.set_attribute("hallporter.request_id", str(request_id))
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if status is None or status >= _SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


def _parent(traceparent: str | None) -> Context:
    """What is malformed counts as not sent. Of `tracestate`, which is anybody's text, nothing is taken."""
    carrier = {"traceparent": traceparent} if traceparent is not None else {}
    return TraceContextTextMapPropagator().extract(carrier, Context())


def _is_failure(error: BaseException) -> bool:
    """Refusals are answers like others."""
    return not isinstance(error, DomainError) or isinstance(error, Unavailable)
