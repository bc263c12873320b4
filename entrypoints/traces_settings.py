"""What can be set about being traced. Where traces go is said by OpenTelemetry's own variables."""

from collections.abc import Iterator
from importlib.util import find_spec

from pydantic import Field
from pydantic_settings import BaseSettings

_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


class TracesSettings(BaseSettings):
    """Whether spans are sent, and whose word counts for what they belong to."""

    traces: bool = Field(
        default=False, description="whether traces are sent by OTLP, to where OTEL_EXPORTER_OTLP_ENDPOINT says"
    )
    traces_join_callers: bool = Field(
        default=False,
        description="whether a request belongs to the trace that its traceparent names; strangers must not choose one",
    )


def traces_problems(settings: TracesSettings) -> Iterator[str]:
    """What it needs is asked for where it is switched on, and installed by those alone who want it."""
    if settings.traces and not all(map(_is_installed, _NEEDED)):
        yield "TRACES needs packages that are not installed. Install hallporter[otel]; in a clone: uv sync --extra otel"
    if settings.traces_join_callers and not settings.traces:
        yield "TRACES_JOIN_CALLERS is set, and there are no traces. Set TRACES=true, or leave it out"


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # Not even what it would be part of.
        return False
