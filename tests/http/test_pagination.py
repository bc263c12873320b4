"""AP-05: lists a page at a time, by cursors that nobody can make up."""

import base64
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.sessions.session import ProofRefused
from domain.users.user import User
from tests.http.conftest import ORIGIN, signed_in
from tests.world import World, new_session

EVENTS = "/v1/users/me/security-events"


async def page(client: httpx.AsyncClient, headers: dict[str, str], **query: object) -> httpx.Response:
    return await client.get(EVENTS, params={name: str(value) for name, value in query.items()}, headers=headers)


async def happen(world: World, user: User, count: int) -> None:
    session = new_session(user)
    async with world.unit_of_work.begin() as tx:
        for number in range(count):
            at = world.clock.now() + timedelta(seconds=number)
            await tx.audit.append(ProofRefused(user_id=user.id, occurred_at=at, session_id=session.id))


@pytest.fixture
async def ada(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    headers = await signed_in(client)
    await happen(world, await world.user(), 118)
    return headers


async def test_a_user_looks_back_on_all_that_happened_and_on_nobody_elses(
    client: httpx.AsyncClient, world: World, ada: dict[str, str]
) -> None:
    await signed_in(client, "bob@example.com")
    seen, cursor, sizes = [], None, []
    while True:
        answer = await page(client, ada, **({"cursor": cursor} if cursor else {}))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        seen += answer.json()["items"]
        sizes.append(len(answer.json()["items"]))
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        # What happens meanwhile moves nothing.
        await happen(world, await world.user(), 1)
    assert sizes == [50, 50, 20]
    assert "link" not in answer.headers
    names = [event["event"] for event in seen]
    assert names == ["session.proof_refused"] * 118 + ["session.started", "user.registered"]
    moments = [event["occurred_at"] for event in seen[:118]]
    assert moments == sorted(moments, reverse=True)


async def test_the_link_leads_to_the_next_page(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    first = await page(client, ada, limit=3)
    url = first.links["next"]["url"]
    assert url.startswith(f"{ORIGIN}{EVENTS}?limit=3&cursor=")
    second = await client.get(url.removeprefix(ORIGIN), headers=ada)
    assert len(second.json()["items"]) == 3
    assert second.json()["items"] != first.json()["items"]


@pytest.mark.parametrize("limit", [0, -1, 201, 10**30, "1_0", "+5", "5.0", "true", "ten", "", " 5", "٥"])
async def test_fault_41_a_limit_that_is_none_is_said_to_be_none(
    client: httpx.AsyncClient, ada: dict[str, str], limit: object
) -> None:
    answer = await page(client, ada, limit=limit)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["?limit"]


@pytest.mark.parametrize("limit", [1, 200])
async def test_a_limit_at_the_edge_is_one(client: httpx.AsyncClient, ada: dict[str, str], limit: int) -> None:
    assert len((await page(client, ada, limit=limit)).json()["items"]) == min(limit, 120)


async def test_a_cursor_is_good_for_its_own_caller_alone(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    cursor = (await page(client, ada)).json()["next_cursor"]
    bob = await signed_in(client, "bob@example.com")
    answer = await page(client, bob, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
    assert (await page(client, ada, cursor=cursor, limit=7)).status_code == 200


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_incident_33_a_cursor_that_was_changed_is_none(client: httpx.AsyncClient, ada: dict[str, str]) -> None:
    cursor = (await page(client, ada)).json()["next_cursor"]
    plain = base64.urlsafe_b64encode(b"1; DROP TABLE users").decode()
    tail = ("A" if cursor[-5] != "A" else "B") + cursor[-4:]
    for other in ("", "x", plain, cursor[:-8], cursor[:-5] + tail, f"{cursor}A", "é", "1", "null", "x" * 1000):
        answer = await page(client, ada, cursor=other)
        assert answer.status_code == 422, other
        assert answer.json()["code"] == "invalid_cursor"
    assert (await page(client, ada, cursor="x" * 1025)).json()["code"] == "invalid_input"


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()))
async def test_fault_42_no_text_is_a_cursor(client: httpx.AsyncClient, ada: dict[str, str], cursor: str) -> None:
    answer = await page(client, ada, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
    assert answer.json()["errors"] == [
        {
            "pointer": "?cursor",
            "code": "invalid",
            "detail": "Take the cursor of a page of this very list, or none.",
        }
    ]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_a_page_costs_one_look_at_the_index_however_deep(
    client: httpx.AsyncClient, owner: AsyncEngine, world: World, ada: dict[str, str]
) -> None:
    """Fault 45."""
    user = await world.user()
    async with owner.connect() as connection:
        await connection.execute(
            text(
                "INSERT INTO audit_entries (id, event, user_id, occurred_at, details) "
                "SELECT gen_random_uuid(), 'sign_in.refused', CASE WHEN n % 200 = 0 THEN CAST(:id AS uuid) END, "
                "now(), '{}' FROM generate_series(1, 20000) n"
            ),
            {"id": str(user.id)},
        )
        await connection.execute(text("ANALYZE audit_entries"))
        newest = (await connection.execute(text("SELECT max(sequence) FROM audit_entries"))).scalar_one()
        # Numbers go on where tests before this one left off.
        for before in (newest + 1, newest - 11_000):
            plan = await connection.execute(
                text(
                    "EXPLAIN SELECT * FROM audit_entries WHERE user_id = CAST(:id AS uuid) AND sequence < :before "
                    "ORDER BY sequence DESC LIMIT 51"
                ),
                {"id": str(user.id), "before": before},
            )
            lines = [str(row[0]).strip() for row in plan]
            assert "Index Scan Backward using ix_audit_entries_user_id_sequence" in lines[1]
            assert not [line for line in lines if "Sort" in line or "Seq Scan" in line or "Filter" in line]
    assert urlsplit((await page(client, ada)).links["next"]["url"]).path == EVENTS
