"""Keeping users out, and letting them in again."""

from datetime import timedelta

import httpx
import pytest

from application.upkeep.lift_suspensions import LiftSuspensions
from tests.http.conftest import at_once, make_admin, register, sign_in, signed_in
from tests.world import EMAIL, World

PORTER = "porter@example.com"


async def as_operator(client: httpx.AsyncClient, world: World, email: str = PORTER) -> dict[str, str]:
    headers = await signed_in(client, email)
    await make_admin(world, email)
    return headers


def of(user_id: object) -> str:
    return f"/v1/admin/users/{user_id}/suspensions"


async def test_a_suspended_user_is_out_at_once_and_in_again_when_reinstated(
    client: httpx.AsyncClient, world: World
) -> None:
    porter = await as_operator(client, world)
    ada = await signed_in(client)
    user = await world.user()
    made = await client.post(of(user.id), json={"reason": "Sends spam"}, headers=porter)
    assert (made.status_code, made.headers["location"]) == (201, f"{of(user.id)}/current")
    assert (made.json()["reason"], made.json()["until"]) == ("Sends spam", None)
    assert (await client.get("/v1/users/me", headers=ada)).status_code == 401
    assert (await sign_in(client)).status_code == 401
    shown = await client.get(f"/v1/admin/users/{user.id}", headers=porter)
    assert shown.json()["is_active"] is False
    again = await client.post(of(user.id), json={"reason": "Twice"}, headers=porter)
    assert (again.status_code, again.json()["code"]) == (409, "already_suspended")
    assert (await client.delete(f"{of(user.id)}/current", headers=porter)).status_code == 204
    assert (await client.get("/v1/users/me", headers=ada)).status_code == 401
    assert (await sign_in(client)).status_code == 201
    lifted = await client.delete(f"{of(user.id)}/current", headers=porter)
    assert (lifted.status_code, lifted.json()["code"]) == (409, "not_suspended")
    async with world.unit_of_work.read() as tx:
        entries = {entry.event: entry.details for entry in await tx.audit.of_user(user.id)}
    by = str((await world.user(PORTER)).id)
    assert entries["user.suspended"] == {"by": by, "until": None, "explanation": "Sends spam"}
    assert entries["user.reinstated"] == {"by": by}


async def test_a_suspension_ends_at_its_moment_whether_or_not_anybody_says_so(
    client: httpx.AsyncClient, world: World
) -> None:
    porter = await as_operator(client, world)
    await register(client)
    user = await world.user()
    until = world.clock.now() + timedelta(hours=1)
    body = {"reason": "Cool down", "until": until.isoformat()}
    assert (await client.post(of(user.id), json=body, headers=porter)).status_code == 201
    world.clock.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert (await sign_in(client)).status_code == 401
    assert await world.container.resolve(LiftSuspensions).execute() == 0
    world.clock.advance(timedelta(seconds=1))
    tokens = (await sign_in(client)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/users/me", headers=bearer)).status_code == 200
    assert (await client.get("/v1/sessions", headers=bearer)).status_code == 200
    assert await world.container.resolve(LiftSuspensions).execute() == 1
    assert await world.container.resolve(LiftSuspensions).execute() == 0
    assert (await client.get("/v1/users/me", headers=bearer)).json()["is_active"] is True
    assert (await world.events_of(user.id))[0] == "user.reinstated"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "  "}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({"reason": "x", "until": "tomorrow"}, "/until"),
        ({"reason": "x", "until": 1}, "/until"),
        ({"reason": "x", "until": "2126-01-01T00:00:00"}, "/until"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"reason": "x", "by": "somebody"}, "/by"),
    ],
)
async def test_what_is_no_suspension_is_said_to_be_none(
    client: httpx.AsyncClient, world: World, body: dict[str, object], pointer: str
) -> None:
    porter = await as_operator(client, world)
    await register(client)
    answer = await client.post(of((await world.user()).id), json=body, headers=porter)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert (await sign_in(client)).status_code == 201


async def test_ad_05_the_last_operator_stays(client: httpx.AsyncClient, world: World) -> None:
    porter = await as_operator(client, world)
    me = (await world.user(PORTER)).id
    for refused in (
        await client.post(of(me), json={"reason": "Enough"}, headers=porter),
        await client.request("DELETE", "/v1/users/me", json={}, headers=porter),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    await as_operator(client, world, "other@example.com")
    assert (await client.request("DELETE", "/v1/users/me", json={}, headers=porter)).status_code == 202


async def test_ad_05_an_operator_who_is_shut_out_or_leaving_is_no_other(
    client: httpx.AsyncClient, world: World
) -> None:
    porter = await as_operator(client, world)
    leaving = await as_operator(client, world, "leaving@example.com")
    await as_operator(client, world, "out@example.com")
    out = (await world.user("out@example.com")).id
    assert (await client.post(of(out), json={"reason": "Out"}, headers=porter)).status_code == 201
    assert (await client.request("DELETE", "/v1/users/me", json={}, headers=leaving)).status_code == 202
    refused = await client.request("DELETE", "/v1/users/me", json={}, headers=porter)
    assert refused.json()["code"] == "last_admin"


@pytest.mark.parametrize("_", range(5))
async def test_ad_05_two_operators_who_shut_each_other_out_at_once_do_not_both_succeed(
    client: httpx.AsyncClient, world: World, _: int
) -> None:
    names = ["first@example.com", "second@example.com"]
    headers = [await as_operator(client, world, name) for name in names]
    ids = [(await world.user(name)).id for name in names]

    async def shut_out(number: int) -> httpx.Response:
        return await client.post(of(ids[1 - number]), json={"reason": "Them"}, headers=headers[number])

    answers = await at_once(2, shut_out)
    assert len([answer for answer in answers if answer.status_code == 201]) == 1
    assert {answer.json().get("code") for answer in answers if answer.status_code != 201} <= {
        "last_admin",
        "invalid_access_token",
    }
    active = [(await world.user(name)).is_active for name in names]
    assert sorted(active) == [False, True]


async def test_ap_04_a_suspension_that_is_sent_again_is_made_once(client: httpx.AsyncClient, world: World) -> None:
    porter = await as_operator(client, world) | {"Idempotency-Key": "5f0d6b3e"}
    await register(client)
    path = of((await world.user()).id)
    answers = [await client.post(path, json={"reason": "Spam"}, headers=porter) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    # The same key for another user is another request.
    await register(client, "bob@example.com")
    other = await client.post(of((await world.user("bob@example.com")).id), json={"reason": "Spam"}, headers=porter)
    assert (other.status_code, other.headers.get("idempotency-replayed")) == (201, None)
    assert EMAIL not in other.text
