"""Sending traces: to somebody, to nobody, and to somebody who does not answer."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from adapters.traces.sending import Sending, otlp
from application.ports.unit_of_work import UnitOfWork
from application.users.register_user import RegisterUser
from entrypoints.settings import Environment, Settings
from entrypoints.settings_problem import SettingsProblem
from entrypoints.startup import started
from entrypoints.traces import traces_of
from tests.world import EMAIL, PASSWORD


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "TRACES_ENDPOINT", "HEADERS", "TIMEOUT", "COMPRESSION"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(name, raising=False)


class Collector(ThreadingHTTPServer):
    """Keeps whatever is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str | None, ExportTraceServiceRequest]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        spans = ExportTraceServiceRequest.FromString(body)
        self.server.got.append((self.path, self.headers.get("X-Collector-Key"), spans))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def settings(database: str, **changed: object) -> Settings:
    return Settings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=database.replace("+asyncpg", ""),
        secret_key="T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa",
        public_url="https://accounts.example.com",
        password_hash_memory_kib=19_456,
        traces=True,
    ).model_copy(update=changed)


async def test_what_the_service_does_arrives_where_the_variables_say(
    monkeypatch: pytest.MonkeyPatch, collector: Collector, postgres_uow: UnitOfWork, database: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=open%20sesame")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=tests")
    traces = traces_of(settings(database))
    async with started(settings(database), None, traces) as service:
        await service.container.resolve(RegisterUser).execute(email=EMAIL, password=PASSWORD)
    assert {(path, key) for path, key, _ in collector.got} == {("/v1/traces", "open sesame")}
    (resource,) = [resource for *_, request in collector.got for resource in request.resource_spans]
    told = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert told["service.name"] == "hallporter"
    assert told["deployment.environment.name"] == "tests"
    spans = [span.name for scope in resource.scope_spans for span in scope.spans]
    assert sorted({*spans}) == ["hashing", "hashing wait", "write"]


async def test_operators_name_the_service_as_they_like(monkeypatch: pytest.MonkeyPatch, collector: Collector) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/kept/here")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "accounts")
    sending = Sending(otlp, version="1.2.3")
    async with sending.sent():
        with sending.tracer.mail():
            pass
    ((path, _, request),) = collector.got
    told = {item.key: item.value.string_value for item in request.resource_spans[0].resource.attributes}
    assert (path, told["service.name"], told["service.version"]) == ("/kept/here", "accounts", "1.2.3")


@pytest.fixture
def log() -> Iterator[list[structlog.typing.EventDict]]:
    quiet = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("INFO"))
    with structlog.testing.capture_logs() as lines:
        yield lines
    structlog.configure(**quiet)


async def test_where_nobody_listens_there_is_one_line_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, log: list[structlog.typing.EventDict]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    sending = Sending(otlp, version="1.2.3", patience=30)
    async with sending.sent():
        for _ in range(2):
            with sending.tracer.request("GET", None) as request:
                request.answered(route="/v1/users/me", status=200, request_id=None)
    assert [line["event"] for line in log] == ["traces.not_taken"]


class _Moody(SpanExporter):
    """Takes every third batch."""

    def __init__(self) -> None:
        self.asked = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002  (as every exporter)
        self.asked += 1
        return SpanExportResult.FAILURE if self.asked % 3 else SpanExportResult.SUCCESS


async def test_that_somebody_listens_again_is_told_too(
    monkeypatch: pytest.MonkeyPatch, log: list[structlog.typing.EventDict]
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    sending = Sending(_Moody, version="1.2.3", patience=30)
    async with sending.sent():
        for _ in range(4):
            with sending.tracer.mail():
                pass
    assert [line["event"] for line in log] == ["traces.not_taken", "traces.taken_again", "traces.not_taken"]


class _Silent(SpanExporter):
    """Takes what it is given and does not answer, until the end of the test."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.free = threading.Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.free.wait()
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


@pytest.fixture
async def silent() -> AsyncIterator[_Silent]:
    exporter = _Silent()
    yield exporter
    exporter.free.set()


async def test_whoever_does_not_answer_holds_up_nothing_and_what_is_too_much_is_dropped(
    monkeypatch: pytest.MonkeyPatch, silent: _Silent
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    sending = Sending(lambda: silent, version="1.2.3", patience=0.01)
    async with sending.sent():
        for _ in range(10):
            with sending.tracer.mail():
                pass
        assert await asyncio.to_thread(silent.asked.wait, 30)
        for _ in range(5_000):
            with sending.tracer.mail():
                pass
    assert silent.taken == 0
    silent.free.set()
    (last,) = [thread for thread in threading.enumerate() if thread.name == "last traces"]
    await asyncio.to_thread(last.join, 30)
    assert 10 <= silent.taken <= 30


@pytest.mark.parametrize("missing", ["opentelemetry.sdk", "opentelemetry.exporter"])
def test_where_the_packages_are_not_installed_we_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, database: str, missing: str
) -> None:
    for module in [name for name in sys.modules if name.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, module)
    # As Python notes that there is no such module.
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SettingsProblem, match=r"TRACES needs packages.*hallporter\[otel\].*uv sync --extra otel"):
        settings(database)


def test_without_traces_nobody_joins_one(database: str) -> None:
    with pytest.raises(SettingsProblem, match="TRACES_JOIN_CALLERS"):
        Settings(_env_file=None, environment=Environment.TEST, traces_join_callers=True)


def test_where_they_are_off_there_are_none(database: str) -> None:
    assert traces_of(settings(database, traces=False)) is None
