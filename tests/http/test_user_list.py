"""Operators find users among many."""

from datetime import timedelta

import httpx
import pytest

from application.ports.user_search import UserOrder
from domain.users.roles import ADMIN
from tests.http.conftest import make_admin, register, sign_in, signed_in
from tests.world import World

USERS = "/v1/admin/users"
PORTER = "porter@example.com"


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """The headers of an operator, who came first."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    return headers


@pytest.fixture
async def crowd(client: httpx.AsyncClient, world: World, porter: dict[str, str]) -> list[str]:
    """Six users, a second after each other; the third is suspended, the fourth is leaving."""
    names = [f"{name}@example.com" for name in ("mo", "Ada", "zoe", "abe", "eve", "al")]
    for number, name in enumerate(names):
        world.clock.advance(timedelta(seconds=1))
        user_id = (await register(client, name)).json()["id"]
        if number == 2:
            await client.post(f"{USERS}/{user_id}/suspensions", json={"reason": "spam"}, headers=porter)
    leaving = await back(client, names[3])
    assert (await client.request("DELETE", "/v1/users/me", json={}, headers=leaving)).status_code == 202
    return names


async def back(client: httpx.AsyncClient, email: str) -> dict[str, str]:
    """The headers of one who signs in again."""
    return {"Authorization": f"Bearer {(await sign_in(client, email)).json()['access_token']}"}


async def found(client: httpx.AsyncClient, headers: dict[str, str], **query: str) -> list[str]:
    """The addresses on all pages of two."""
    addresses: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get(USERS, params=query | cursor | {"limit": "2"}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        page = answer.json()
        addresses += [user["email"] for user in page["items"]]
        if page["next_cursor"] is None:
            assert "link" not in answer.headers
            return addresses
        assert page["next_cursor"] in answer.headers["link"]
        cursor = {"cursor": page["next_cursor"]}


async def test_everybody_is_listed_in_every_order(
    client: httpx.AsyncClient, porter: dict[str, str], crowd: list[str]
) -> None:
    everybody = [PORTER, *crowd]
    assert await found(client, porter) == everybody[::-1]
    assert await found(client, porter, sort="created_at") == everybody
    assert await found(client, porter, sort="email") == sorted(everybody, key=str.lower)
    assert await found(client, porter, sort="-email") == sorted(everybody, key=str.lower)[::-1]
    for order in UserOrder:
        assert sorted(await found(client, porter, sort=order)) == sorted(everybody)


async def test_filters_combine(client: httpx.AsyncClient, porter: dict[str, str], crowd: list[str]) -> None:
    assert await found(client, porter, status="suspended") == [crowd[2]]
    assert await found(client, porter, status="deletion_scheduled") == [crowd[3]]
    assert sorted(await found(client, porter, status="active")) == sorted({PORTER, *crowd} - {crowd[2], crowd[3]})
    assert await found(client, porter, role=ADMIN) == [PORTER]
    assert await found(client, porter, role="porter") == []
    assert await found(client, porter, email_verified="true") == []
    assert await found(client, porter, email_prefix="A") == [crowd[3], crowd[1], crowd[5]]
    assert await found(client, porter, email_prefix="a", status="active") == [crowd[1], crowd[5]]
    assert await found(client, porter, email_verified="false", email_prefix="zoe", status="suspended") == [crowd[2]]


async def test_moments_bound_from_and_before(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], crowd: list[str]
) -> None:
    third = (await world.user(crowd[2])).created_at.isoformat()
    assert await found(client, porter, created_after=third, sort="created_at") == crowd[2:]
    assert await found(client, porter, created_before=third, sort="created_at") == [PORTER, *crowd[:2]]
    assert await found(client, porter, created_after=third, created_before=third) == []


async def test_whoever_comes_counts_as_seen(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], crowd: list[str]
) -> None:
    long_ago = world.clock.now() + timedelta(seconds=1)
    assert len(await found(client, porter, last_seen_before=long_ago.isoformat())) == 7
    world.clock.advance(timedelta(hours=2))
    for name in (crowd[0], crowd[4]):
        await back(client, name)
    porter = await back(client, PORTER)
    unseen = await found(client, porter, last_seen_before=long_ago.isoformat())
    assert {PORTER, *crowd} - {*unseen} == {PORTER, crowd[0], crowd[4]}
    world.clock.advance(timedelta(hours=2))
    porter = await back(client, PORTER)
    user_id = (await client.post(f"{USERS}/lookups", json={"email": crowd[0]}, headers=porter)).json()["id"]
    before = await client.get(f"{USERS}/{user_id}", headers=porter)
    await back(client, crowd[0])
    after = await client.get(f"{USERS}/{user_id}", headers=porter | {"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    assert before.json()["last_seen_at"] < after.json()["last_seen_at"]
    assert before.json()["updated_at"] == after.json()["updated_at"]


async def test_a_refresh_counts_as_being_seen(client: httpx.AsyncClient, world: World) -> None:
    user = await world.register()
    tokens = await world.sign_in()
    world.clock.advance(timedelta(hours=2))
    body = {"refresh_token": tokens.refresh_token.text}
    assert (await client.post("/v1/sessions/refresh", json=body)).status_code == 200
    assert (await world.user()).last_seen_at == world.clock.now() != user.last_seen_at


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"status": "sleeping"}, "?status"),
        ({"role": "Admin"}, "?role"),
        ({"role": "a" * 41}, "?role"),
        ({"email_verified": "yes"}, "?email_verified"),
        ({"email_prefix": ""}, "?email_prefix"),
        ({"created_after": "yesterday"}, "?created_after"),
        ({"created_before": "2026-01-31T12:00:00"}, "?created_before"),
        ({"sort": "password_hash"}, "?sort"),
        ({"sort": "email; DROP TABLE users"}, "?sort"),
        ({"offset": "100"}, "?offset"),
        ({"limit": "201"}, "?limit"),
    ],
)
async def test_what_is_asked_wrongly_is_named(
    client: httpx.AsyncClient, porter: dict[str, str], query: dict[str, str], pointer: str
) -> None:
    """Incident 63: an order is one of a list of names."""
    answer = await client.get(USERS, params=query, headers=porter)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_ap_05_a_cursor_is_good_for_its_own_question_alone(
    client: httpx.AsyncClient, porter: dict[str, str], crowd: list[str]
) -> None:
    assert crowd
    first = (await client.get(USERS, params={"sort": "email", "limit": "2"}, headers=porter)).json()
    cursor = first["next_cursor"]
    assert PORTER not in cursor
    for other in ({"sort": "-email"}, {}, {"sort": "email", "status": "active"}):
        answer = await client.get(USERS, params=other | {"cursor": cursor}, headers=porter)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
