"""Logs: key-value lines for people, JSON for machines, and no secret in either (LA-03, LA-04)."""

import logging
import re
import sys
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO

import structlog

from application.audit.origin import present_origin
from domain.events import Event
from entrypoints.settings import LogFormat

REDACTED = "[redacted]"
_MAX_TEXT = 4_000
_MAX_EXCEPTION = 20_000
_SECRET_NAME = re.compile(r"passw|secret|token|authorization|cookie|credential|api_?key|private", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"hp_[a-z]+_[\w-]{16,}"  # our own opaque tokens
    r"|eyJ[\w-]{6,}(?:\.[\w-]*){1,4}"  # JWTs
    r"|(?:Bearer|Basic)\s+\S+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # user:password in URLs
    r"|\$argon2[\w$=,+/-]+",
    re.IGNORECASE,
)
# As `://:a@` and `Basic a` are.
_SHORTEST_SECRET = len("://:a@")

_events = structlog.get_logger("hallporter.events")


def configure_logging(level: str, log_format: LogFormat) -> None:
    """Send our own lines, and those of every library, through the same processors to standard error."""
    shared: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format is LogFormat.JSON
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # Ours go straight to where those of libraries go: through logging each would be made ready twice.
    lines = _Lines(handler)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    # A closed pipe behind us must not become an error in front (fault 32).
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    # One line for each request is ours already.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # They say at length what we say in a line, and put the texts of errors into it.
    for name in ("pgqueuer", "opentelemetry.exporter", "opentelemetry.sdk"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _Lines:
    """Writes lines that are ready to where the handler's go."""

    def __init__(self, handler: logging.StreamHandler[TextIO]) -> None:
        self._handler = handler

    def msg(self, line: str) -> None:
        # A closed pipe behind us must not become an error in front (fault 32).
        with suppress(OSError, ValueError):
            self._handler.stream.write(f"{line}\n")
            self._handler.stream.flush()

    debug = info = warning = error = critical = exception = msg


def _add_request_id(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say with each line in which request it was written."""
    request_id = present_origin().request_id
    if request_id is not None:
        line.setdefault("request_id", str(request_id))
    return line


def log_events(events: Sequence[Event]) -> None:
    """One line for each thing that happened, once it counts."""
    for event in events:
        _events.info(event.name, user_id=str(event.user_id) if event.user_id else None, **event.details())


def redact(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what names itself a secret or looks like one, cut what is endless, keep each line one line."""
    return {name: _cleaned(name, value) for name, value in line.items()}


@lru_cache(1_000)
def _names_a_secret(name: str) -> bool:
    return name != "event" and _SECRET_NAME.search(name) is not None


def _cleaned(name: str, value: object) -> object:
    if name.startswith("_") or value is None or isinstance(value, bool | int | float):
        return value
    if _names_a_secret(name):
        return REDACTED
    if isinstance(value, dict):
        return {str(key): _cleaned(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned("", member) for member in value]
    text = str(value)
    # Ids and words, most of what is told, have none of the signs by which secrets are known.
    if len(text) >= _SHORTEST_SECRET and not text.replace("-", "").isalnum():
        text = _SECRET_VALUE.sub(REDACTED, text)
    if text.isprintable() and len(text) <= _MAX_TEXT:
        return text
    lines = text[:_MAX_EXCEPTION].split("\n") if name == "exception" else [text[:_MAX_TEXT]]
    return "\n".join("".join(char if char.isprintable() else repr(char)[1:-1] for char in line) for line in lines)
