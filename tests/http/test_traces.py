"""What spans hold, and that nobody is to be found in them."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import httpx
import opentelemetry.trace
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from adapters.crypto.hashing_threads import HashingThreads
from adapters.http.app import create_app
from adapters.http.tracing import TracedRequests
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.traces.sending import Sending
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.unit_of_work import Transaction
from entrypoints.traces import Traces
from entrypoints.worker import make_worker
from tests.http.conftest import CONFIG, ORIGIN, register, sign_in
from tests.world import EMAIL, World, make_world, memory_adapters

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass
class Kept:
    """What whoever keeps traces got, once nothing more is sent."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def below(self, parent: ReadableSpan) -> set[str]:
        """Names of the children of a span."""
        assert parent.context is not None
        return {span.name for span in self.spans if span.parent and span.parent.span_id == parent.context.span_id}


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def traces(kept: Kept) -> Traces:
    return Traces(Sending(lambda: kept.exporter, version="1.2.3"))


@pytest.fixture
def traced_world(traces: Traces) -> World:
    return make_world(traces.tracing(memory_adapters()))


def traced_app(world: World, traces: Traces, *, join_callers: bool = False) -> FastAPI:
    app = create_app(world.container, config=CONFIG)
    app.add_middleware(TracedRequests, traces=traces.tracer, join_callers=join_callers)
    return app


@asynccontextmanager
async def calling(app: FastAPI, traces: Traces) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with traces.sent(), httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def test_a_request_is_named_by_its_route_and_what_it_asks_the_database_is_below(
    traces: Traces, traced_world: World, kept: Kept
) -> None:
    request_id = str(uuid4())
    async with calling(traced_app(traced_world, traces), traces) as client:
        await register(client)
        await client.delete(f"/v1/sessions/{uuid4()}", headers={"X-Request-Id": request_id})
    registered, ended = kept.named("POST /v1/users"), kept.named("DELETE /v1/sessions/{session_id}")
    assert (registered.kind, registered.parent) == (SpanKind.SERVER, None)
    assert kept.below(registered) >= {"write"}
    database = kept.named("write")
    assert dict(database.attributes or {}) == {"db.system.name": "postgresql"}
    assert dict(ended.attributes or {}) == {
        "http.request.method": "DELETE",
        "http.route": "/v1/sessions/{session_id}",
        "http.response.status_code": 401,
        "hallporter.request_id": request_id,
    }
    assert ended.status.status_code is StatusCode.UNSET


async def test_what_has_no_route_is_named_by_its_method_and_probes_are_left_out(
    traces: Traces, traced_world: World, kept: Kept
) -> None:
    async with calling(traced_app(traced_world, traces), traces) as client:
        await client.get(f"/{EMAIL}")
        await client.request("CANARY", "/")
        await client.get("/livez")
        await client.get("/readyz")
    assert sorted(span.name for span in kept.spans) == ["GET", "HTTP"]
    assert kept.named("HTTP").attributes == {
        "http.request.method": "_OTHER",
        "http.response.status_code": 404,
        "hallporter.request_id": kept.named("HTTP").attributes["hallporter.request_id"],  # type: ignore[index]
    }


async def test_hashing_tells_how_long_it_waited_and_how_long_it_took(traces: Traces, kept: Kept) -> None:
    threads = HashingThreads(on_idle=lambda: None)
    threads.watch = traces.tracer.hashing
    async with traces.sent():
        with traces.tracer.request("POST", None):
            assert await threads.run(lambda: 7) == 7
        threads.close()
    assert kept.below(kept.named("POST")) == {"hashing wait", "hashing"}
    waited, took = kept.named("hashing wait"), kept.named("hashing")
    assert waited.start_time is not None
    assert waited.end_time == took.start_time
    assert waited.start_time <= took.start_time <= took.end_time  # type: ignore[operator]


async def test_jobs_have_traces_of_their_own_and_mail_is_below_them(
    traces: Traces, traced_world: World, kept: Kept
) -> None:
    async with traces.sent():
        await traced_world.register()
        worker = make_worker(
            traced_world.settings, traced_world.adapters, traced_world.container, around=traces.tracer.work
        )
        await worker.drain()
    message = kept.named("job message")
    assert (message.kind, message.parent) == (SpanKind.CONSUMER, None)
    assert "mail" in kept.below(message)
    assert kept.named("job event").context.trace_id != message.context.trace_id


@pytest.mark.parametrize(
    ("join_callers", "headers", "joins"),
    [
        (False, [TRACEPARENT], False),
        (True, [TRACEPARENT], True),
        (True, [TRACEPARENT, TRACEPARENT], False),
        (True, ["00-" + "0" * 32 + "-00f067aa0ba902b7-01"], False),
        (True, ["\u00e9"], False),
        (True, [], False),
    ],
)
async def test_callers_choose_the_trace_only_where_we_are_told_so(
    traces: Traces, traced_world: World, kept: Kept, *, join_callers: bool, headers: list[str], joins: bool
) -> None:
    async with calling(traced_app(traced_world, traces, join_callers=join_callers), traces) as client:
        sent = [(b"traceparent", value.encode("latin-1")) for value in headers]
        await client.get("/nowhere", headers=[*sent, (b"tracestate", b"canary=1"), (b"baggage", b"canary=1")])
    span = kept.named("GET")
    assert span.context is not None
    assert (span.context.trace_id == int(TRACE, 16)) is joins
    assert (span.parent is not None) is joins
    assert not span.context.trace_state


class _Breaking(MemoryUnitOfWork):
    """Breaks when told to, and says what should stay between us."""

    is_broken = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        async with super().read() as tx:
            yield tx
            if self.is_broken:
                message = "the canary is not well"
                raise RuntimeError(message)


async def test_la_03_nobody_is_to_be_found_in_traces(traces: Traces, kept: Kept) -> None:
    """Whatever was sent, in whichever place, and whatever an error says: none of it is exported."""
    breaking = _Breaking(acted_on=JOBS_OF_EVENTS)
    adapters = replace(memory_adapters(), unit_of_work=breaking, open_queue=breaking.jobs.open)
    world = make_world(traces.tracing(adapters))
    headers = {
        "Authorization": "Bearer canary",
        "Cookie": "canary=canary",
        "User-Agent": "canary",
        "X-Forwarded-For": "canary",
        "Referer": "https://canary.example.com",
        "X-Request-Id": "canary",
        "traceparent": TRACEPARENT,
        "tracestate": "canary=canary",
        "baggage": "canary=canary",
    }
    person = {"email": "canary@example.com", "password": "canary in a coal mine", "display_name": "canary"}
    async with calling(traced_app(world, traces, join_callers=True), traces) as client:
        assert (await client.post("/v1/users", json=person, headers=headers)).status_code == 201
        signed_in = (await sign_in(client, person["email"], person["password"])).json()
        headers |= {"Authorization": f"Bearer {signed_in['access_token']}"}
        me = (await client.get("/v1/users/me", headers=headers)).json()
        assert me["display_name"] == "canary"
        await client.post("/v1/sessions", content=b'{"canary', headers=headers)
        await client.get("/canary?canary=canary", headers=headers)
        breaking.is_broken = True
        assert (await client.get("/v1/users/me", headers=headers)).status_code == 500
        breaking.is_broken = False
        await make_worker(world.settings, world.adapters, world.container, around=traces.tracer.work).drain()
    told = [json.loads(span.to_json()) for span in kept.spans]
    text = json.dumps(told)
    assert len(told) > 12
    secrets = ["canary", "@", "127.0.0.1", me["id"], signed_in["access_token"], signed_in["refresh_token"]]
    assert [secret for secret in secrets if secret in text] == []
    assert {name for span in told for name in span["attributes"]} == {
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "hallporter.request_id",
        "db.system.name",
        "error.type",
    }
    assert all(span["events"] == span["links"] == [] for span in told)
    failed = [span for span in told if span["attributes"].get("error.type")]
    assert {(span["name"], span["attributes"]["error.type"]) for span in failed} >= {("read", "RuntimeError")}
    assert all(UUID(span["attributes"]["hallporter.request_id"]) for span in told if "SERVER" in span["kind"])


async def test_la_03_fastapi_adds_nothing_of_its_own(
    monkeypatch: pytest.MonkeyPatch, traced_world: World, traces: Traces
) -> None:
    """Not even where somebody has set up a provider for everything in this process."""
    everywhere = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(everywhere))
    monkeypatch.setattr(opentelemetry.trace, "get_tracer_provider", lambda: provider)
    async with calling(traced_app(traced_world, traces), traces) as client:
        await client.get("/v1/users/me?canary=canary")
    assert everywhere.get_finished_spans() == ()
