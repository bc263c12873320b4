"""What is counted, and that nobody but us decides how much there is to count."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.http.app import create_app
from adapters.http.counting import CountedRequests
from adapters.http.metrics_page import MetricsPage
from adapters.mail.email_parser import StrictEmailParser
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.metrics.counted_mailer import CountedMailer
from adapters.metrics.meters import Meters
from adapters.metrics.readings import Readings
from application.jobs.handle_job import JOBS_OF_EVENTS
from application.ports.mailer import Mail, MailDelayed, MailRefused
from application.ports.vital_signs import VitalSigns
from domain.ids import MessageId
from domain.messages.message import MessageKind
from domain.throttling.throttle import Limit
from tests.http.conftest import CONFIG, ORIGIN, register, sign_in
from tests.world import EMAIL, SETTINGS, World, make_world, memory_adapters

TOKEN = "b3Jkd2luIGhhcmJvdXIgYXQgZGF3bg"
FEW = Limit(3, timedelta(hours=1))


@pytest.fixture
def meters() -> Meters:
    return Meters(Readings(rotate_after=timedelta(days=90)), version="1.2.3")


@pytest.fixture
def counted_world(meters: Meters) -> World:
    """One whose events are counted."""
    unit_of_work = MemoryUnitOfWork(on_commit=meters.events_happened, acted_on=JOBS_OF_EVENTS)
    adapters = replace(
        memory_adapters(),
        unit_of_work=unit_of_work,
        open_queue=unit_of_work.jobs.open,
    )
    return make_world(adapters, SETTINGS.model_copy(update={"limit_registrations": FEW}))


@pytest.fixture
async def counted(meters: Meters, counted_world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(counted_world.container, config=CONFIG)
    app.add_middleware(CountedRequests, counts=meters)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield client


async def told(meters: Meters) -> dict[str, float]:
    """Every series, written as Prometheus writes it, and its value."""
    text = (await meters.rendered()).decode()
    return {
        f"{sample.name}{{{','.join(f'{name}={value}' for name, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_requests_count_by_route_and_status_and_those_without_a_route_are_one(
    counted: httpx.AsyncClient, meters: Meters
) -> None:
    await register(counted)
    await counted.get(f"/v1/sessions/{uuid4()}")
    for path in ("/nowhere", "/v1/nowhere", f"/{EMAIL}"):
        await counted.get(path)
    await counted.get("/", headers={"Host": "somebody.else.example"})
    series = await told(meters)
    assert series["hallporter_requests_total{operation=register_user,status=201}"] == 1
    assert series["hallporter_requests_total{operation=none,status=404}"] == 3
    assert series["hallporter_requests_total{operation=none,status=400}"] == 1
    assert series["hallporter_request_seconds_count{operation=none}"] == 4
    assert series["hallporter_requests_in_flight{}"] == 0


async def test_a_request_is_in_flight_until_it_is_answered_or_given_up(meters: Meters) -> None:
    async def give_up(*_: object) -> None:
        assert (await told(meters))["hallporter_requests_in_flight{}"] == 1
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await CountedRequests(give_up, counts=meters)({"type": "http"}, None, None)  # type: ignore[arg-type]
    series = await told(meters)
    assert series["hallporter_requests_in_flight{}"] == 0
    assert series["hallporter_requests_total{operation=none,status=none}"] == 1


async def test_sign_ins_count_by_what_came_of_them(counted: httpx.AsyncClient, meters: Meters) -> None:
    await register(counted)
    await sign_in(counted)
    await sign_in(counted, password="a quiet harbour at dusk")
    await sign_in(counted, email="nobody@example.com")
    series = await told(meters)
    for outcome in ("signed_in", "wrong_password", "unknown_user"):
        assert series[f"hallporter_sign_ins_total{{outcome={outcome}}}"] == 1
    assert series["hallporter_sign_ins_total{outcome=suspended}"] == 0
    assert series["hallporter_events_total{event=user.registered}"] == 1


async def test_throttles_count_by_limit_and_those_of_guesses_are_one(
    counted: httpx.AsyncClient, meters: Meters
) -> None:
    for number in range(FEW.count + 2):
        await register(counted, f"person{number}@example.com")
    refused = 0
    for _ in range(8):
        refused += (await sign_in(counted, "person0@example.com", "a quiet harbour at dusk")).status_code == 429
    assert refused
    series = await told(meters)
    assert series["hallporter_throttled_total{limit=registration}"] == 2
    assert series["hallporter_throttled_total{limit=guesses}"] == refused


class _Relay:
    """Answers one mail after the other as told."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = iter(answers)

    async def send(self, _mail: Mail) -> None:
        answer = next(self._answers)
        if answer is not None:
            raise answer


async def test_mails_count_by_how_it_went(meters: Meters) -> None:
    mail = Mail(
        id=MessageId(uuid4()),
        kind=MessageKind.NEW_DEVICE,
        recipient=StrictEmailParser().parse(EMAIL),
        locale=None,
        content={},
        written_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    mailer = CountedMailer(
        _Relay(None, None, MailDelayed("busy"), MailRefused("no"), KeyError("bug")), meters.mail_tried
    )
    await mailer.send(mail)
    await mailer.send(mail)
    for problem in (MailDelayed, MailRefused, KeyError):
        with pytest.raises(problem):
            await mailer.send(mail)
    series = await told(meters)
    outcomes = ("sent", "delayed", "refused", "failed")
    assert [series[f"hallporter_mail_attempts_total{{outcome={one}}}"] for one in outcomes] == [2, 1, 1, 1]


async def test_ap_06_la_03_no_stranger_adds_a_series_or_is_named_in_one(
    counted: httpx.AsyncClient, meters: Meters
) -> None:
    """Many users, paths, agents and ids later there are the series of before, and nobody is to be found in them."""

    async def visit(number: int) -> None:
        address, agent = f"canary{number}@example.com", {"User-Agent": f"canary/{number}"}
        headers = agent | {"X-Forwarded-For": f"198.51.100.{number}", "X-Request-Id": str(uuid4())}
        body = {"email": address, "password": f"canary of number {number}"}
        await counted.post("/v1/users", json=body, headers=headers)
        await counted.post("/v1/sessions", json=body, headers=headers)
        for _ in range(7):
            await counted.post("/v1/sessions", json=body | {"password": "canary in a mine"}, headers=headers)
        for path in (f"/canary/{number}", f"/v1/users/{uuid4()}", f"/v1/sessions/{uuid4()}?canary={number}"):
            for method in ("GET", "DELETE", "BREW"):
                await counted.request(method, path, headers=headers)

    for number in range(FEW.count + 1):
        await visit(number)
    before = set(await told(meters))
    for number in range(10, 40):
        await visit(number)
    after = set(await told(meters))
    assert after == before
    assert not [one for one in after if "canary" in one or "@" in one or "198.51" in one]
    assert len(after) < 500


class _Reader:
    """Counts how often it is asked."""

    def __init__(self, signs: VitalSigns | None) -> None:
        self.signs = signs
        self.asked = 0

    async def read(self) -> VitalSigns | None:
        self.asked += 1
        return self.signs


class _Busy:
    most = taken = 10
    waits, timeouts = 7, 2
    running = waiting = refused = 4


async def test_the_database_is_asked_once_in_some_seconds_and_what_is_not_known_is_left_out() -> None:
    now, reader = [100.0], _Reader(None)
    readings = Readings(rotate_after=timedelta(days=90), clock=lambda: now[0])
    meters = Meters(readings, version="1.2.3")
    readings.look_at(pool=_Busy(), hashing=_Busy(), reader=reader, worker_silence=lambda: None)
    series = await told(meters)
    assert (series["hallporter_database_up{}"], series["hallporter_database_timeouts_total{}"]) == (0, 2)
    assert (series["hallporter_hashing_waiting{}"], series["hallporter_database_connections_taken{}"]) == (4, 10)
    unknown = ("hallporter_jobs", "hallporter_schema", "hallporter_signing", "hallporter_audit", "hallporter_worker")
    assert not [one for one in series if one.startswith(unknown)]
    now[0] += 4
    await told(meters)
    assert reader.asked == 1
    now[0] += 2
    await told(meters)
    assert reader.asked == 2


async def test_ap_06_the_page_answers_those_alone_who_show_the_token(meters: Meters) -> None:
    page = MetricsPage(meters.rendered, token=TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url=ORIGIN) as client:
        for shown in (None, "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer \u00e9"):
            headers = {"Authorization": shown.encode()} if shown is not None else {}
            answer = await client.get("/metrics", headers=headers)  # type: ignore[arg-type]
            assert (answer.status_code, answer.content) == (401, b""), shown
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
        assert (await client.get("/metrics", headers=twice)).status_code == 401
        good = {"Authorization": f"bearer {TOKEN}"}
        answer = await client.get("/metrics", headers=good)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert 'hallporter_build_info{python="' in answer.text
        assert (await client.get("/", headers=good)).status_code == 404
        assert (await client.post("/metrics", headers=good)).status_code == 405
        assert (await client.get("/metrics", headers=good | {"X-Large": "x" * 20_000})).status_code == 400


async def test_at_the_port_of_the_api_there_are_none(counted: httpx.AsyncClient) -> None:
    assert (await counted.get("/metrics")).status_code == 404
