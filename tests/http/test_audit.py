"""The audit log, as operators read and verify it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import schema
from adapters.postgres.audit_queries import page_query
from application.audit.make_checkpoint import MakeCheckpoint
from application.ports.audit import AuditFilter, AuditPlace
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.events import Outcome
from domain.ids import UserId
from tests.conftest import empty
from tests.http.conftest import make_admin, sign_in, signed_in
from tests.world import EMAIL, World, new_user

PORTER = "porter@example.com"
ENTRIES, CHECKPOINTS, VERIFICATIONS = (
    f"/v1/admin/audit-{what}" for what in ("entries", "checkpoints", "verifications")
)


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """The headers of an operator."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    return headers


async def listed(client: httpx.AsyncClient, headers: dict[str, str], **query: object) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    params = {name: str(value) for name, value in query.items()}
    while True:
        answer = await client.get(ENTRIES, params=params, headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
        found += answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            assert "link" not in answer.headers
            return found
        params["cursor"] = answer.json()["next_cursor"]


async def test_la_01_operators_see_who_did_what_to_whom_and_from_where(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    operator, ada = (await world.user(PORTER)).id, (await world.register()).id
    body = {"reason": "Sends spam"}
    suspended = await client.post(f"/v1/admin/users/{ada}/suspensions", json=body, headers=porter)
    (entry,) = await listed(client, porter, event="user.suspended")
    assert entry["details"] == {"by": str(operator), "until": None, "explanation": "Sends spam"}
    assert (entry["actor_id"], entry["subject_id"]) == (str(operator), str(ada))
    assert (entry["source"], entry["outcome"], entry["network_address"]) == ("http", "success", "127.0.0.1")
    assert entry["request_id"] == suspended.headers["x-request-id"]


async def test_each_filter_narrows_it_down_and_all_of_them_apply(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    operator = (await world.user(PORTER)).id
    ada = (await signed_in(client), (await world.user()).id)[1]
    await sign_in(client, EMAIL, "not the password at all")
    everything = await listed(client, porter, limit=3)
    assert [entry["sequence"] for entry in everything] == sorted(
        {entry["sequence"] for entry in everything}, reverse=True
    )
    refused = await listed(client, porter, outcome="refused")
    assert [entry["event"] for entry in refused] == ["sign_in.refused"]
    assert await listed(client, porter, subject=ada, outcome="refused", event="sign_in.refused") == refused
    assert await listed(client, porter, subject=operator, outcome="refused") == []
    assert {entry["actor_id"] for entry in await listed(client, porter, actor=ada)} == {str(ada)}
    assert {entry["subject_id"] for entry in await listed(client, porter, subject=ada)} == {str(ada)}
    now = world.clock.now()
    assert await listed(client, porter, occurred_after=_text(now + timedelta(seconds=1))) == []
    assert refused[0] in await listed(client, porter, occurred_before=_text(now + timedelta(hours=1)))
    assert await listed(client, porter, event="no.such_event") == []
    # The earliest and the latest times there are, in zones where they are earlier and later still.
    edges = {"occurred_after": "0001-01-01T00:00:00+14:00", "occurred_before": "9999-12-31T23:59:59-12:00"}
    assert refused[0] in await listed(client, porter, **edges)


def _text(at: Any) -> str:
    return str(at.isoformat()).replace("+00:00", "Z")


async def test_la_01_reading_is_written_down_with_the_names_of_filters_and_not_for_whom_one_looked(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    somebody = uuid4()
    await listed(client, porter, subject=somebody, outcome="refused")
    read = (await listed(client, porter, event="audit.read"))[0]
    assert read["details"] == {"what": "entries", "filters": ["outcome", "user_id"]}
    assert (read["actor_id"], read["subject_id"]) == (str((await world.user(PORTER)).id), None)
    assert str(somebody) not in str(read)


@pytest.mark.parametrize(
    "query",
    [
        {"actor": "ada"},
        {"outcome": "perhaps"},
        {"event": "x" * 101},
        {"occurred_after": "yesterday"},
        {"occurred_before": "2026-01-31"},
        {"limit": "0"},
        {"who": "ada"},
    ],
)
async def test_fault_41_a_filter_that_is_none_is_said_to_be_none(
    client: httpx.AsyncClient, porter: dict[str, str], query: dict[str, str]
) -> None:
    answer = await client.get(ENTRIES, params=query, headers=porter)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"?{next(iter(query))}")


async def test_ap_05_a_cursor_is_good_for_its_own_filters_alone(
    client: httpx.AsyncClient, porter: dict[str, str]
) -> None:
    first = await client.get(ENTRIES, params={"limit": 1}, headers=porter)
    cursor = first.json()["next_cursor"]
    for other in ({"outcome": "success"}, {"event": "session.started"}):
        answer = await client.get(ENTRIES, params={"cursor": cursor, **other}, headers=porter)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_la_05_checkpoints_are_listed_and_the_log_is_verified_part_by_part(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    make = world.container.resolve(MakeCheckpoint)
    await make.execute()
    await listed(client, porter, limit=100)
    made = await make.execute()
    await listed(client, porter, limit=100)
    assert made is not None
    checkpoints = (await client.get(CHECKPOINTS, params={"limit": 1}, headers=porter)).json()
    assert checkpoints["items"][0]["statement"] == made.statement
    older = await client.get(CHECKPOINTS, params={"cursor": checkpoints["next_cursor"]}, headers=porter)
    assert [item["position"] < made.claims.position for item in older.json()["items"]] == [True]
    whole = (await client.post(VERIFICATIONS, json={}, headers=porter)).json()
    end = made.claims.position
    assert (whole["entries"], whole["checkpoints"], whole["problem"]) == (end, 2, None)
    assert (whole["unsealed"], whole["next_position"]) == (1, None)
    part = await client.post(VERIFICATIONS, json={"from_position": 2, "to_position": 3}, headers=porter)
    assert (part.json()["entries"], part.json()["next_position"]) == (2, 4)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from_position": 0}, "/from_position"),
        ({"from_position": 3, "to_position": 2}, "/to_position"),
        ({"to_position": 1 << 60}, "/to_position"),
        ({"from_position": "1"}, "/from_position"),
    ],
)
async def test_fault_41_a_part_that_is_none_is_said_to_be_none(
    client: httpx.AsyncClient, porter: dict[str, str], body: dict[str, object], pointer: str
) -> None:
    answer = await client.post(VERIFICATIONS, json=body, headers=porter)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_la_05_what_was_edited_is_told(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], database: str
) -> None:
    await world.container.resolve(SealAuditEntries).execute()
    async with schema.connected(database) as connection:
        edit = (
            "UPDATE audit_entries SET event = 'edited' WHERE sequence = (SELECT min(sequence) + 1 FROM audit_entries)"
        )
        await connection.execute(text(edit))
        await connection.commit()
    problem = (await client.post(VERIFICATIONS, json={}, headers=porter)).json()["problem"]
    assert (problem["what"], problem["position"]) == ("edited", 2)
    assert problem["sequence"] == problem["after_sequence"] + 1


SOMEBODY = UserId(uuid4())
PLACE = AuditPlace(sequence=15_000, occurred_at=new_user().created_at)
FILTERS = [
    (AuditFilter(), "pk_audit_entries"),
    (AuditFilter(user_id=SOMEBODY), "ix_audit_entries_user_id_sequence"),
    (AuditFilter(actor_id=SOMEBODY), "ix_audit_entries_actor_id_sequence"),
    (AuditFilter(event="event 7"), "ix_audit_entries_event_sequence"),
    (AuditFilter(outcome=Outcome.REFUSED), "ix_audit_entries_refused"),
    (AuditFilter(occurred_after=PLACE.occurred_at), "ix_audit_entries_occurred_at_sequence"),
    (AuditFilter(occurred_before=PLACE.occurred_at, event="event 7"), "ix_audit_entries_occurred_at_sequence"),
    (AuditFilter(user_id=SOMEBODY, outcome=Outcome.REFUSED), "ix_audit_entries_user_id_sequence"),
]


async def test_each_filter_is_one_walk_along_an_index(engine: AsyncEngine, database: str) -> None:
    await empty(engine)
    async with schema.connected(database) as connection:
        await connection.execute(
            text(
                "INSERT INTO audit_entries (id, event, user_id, actor_id, occurred_at, details, outcome, commitments) "
                "SELECT gen_random_uuid(), 'event ' || n % 1000, gen_random_uuid(), gen_random_uuid(), "
                "now() + n * interval '1 second', '{}', CASE n % 50 WHEN 0 THEN 'refused' ELSE 'success' END, '{}' "
                "FROM generate_series(1, 20000) n"
            )
        )
        await connection.execute(text("ANALYZE audit_entries"))
        for wanted, index in FILTERS:
            for after in (None, PLACE):
                query = page_query(wanted, after, 50).compile(connection.engine, compile_kwargs={"literal_binds": True})
                plan = "\n".join((await connection.execute(text(f"EXPLAIN {query}".replace(":", r"\:")))).scalars())
                assert index in plan, plan
                assert "Seq Scan on audit_entries" not in plan, plan
        await connection.rollback()
