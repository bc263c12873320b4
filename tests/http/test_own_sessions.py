"""`/v1/sessions` as a list, and `/v1/users/me/password`."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from adapters.http.app import create_app
from adapters.http.authentication import RecentUser
from tests.http.conftest import CONFIG, at_once, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, World

NEW = "a louder harbour at noon"


async def another(client: httpx.AsyncClient, email: str = EMAIL) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await sign_in(client, email)).json()['access_token']}"}


async def test_my_sessions_are_listed_with_the_one_i_am_in(client: httpx.AsyncClient, world: World) -> None:
    """ST-06."""
    first = await signed_in(client)
    world.clock.advance(timedelta(seconds=1))
    second = await another(client)
    answer = await client.get("/v1/sessions", headers=second)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert [session["current"] for session in answer.json()["items"]] == [True, False]
    assert answer.json()["next_cursor"] is None
    mine = (await client.get("/v1/sessions/current", headers=first)).json()
    assert answer.json()["items"][1] == mine | {"current": False}


async def test_the_last_use_is_right_to_a_minute_and_costs_no_answer_anything(
    client: httpx.AsyncClient, world: World
) -> None:
    mine = await signed_in(client)

    async def last_used() -> str:
        used: str = (await client.get("/v1/sessions/current", headers=mine)).json()["last_used_at"]
        return used

    world.clock.advance(timedelta(seconds=59))
    assert [await last_used(), await last_used()] == ["2026-01-01T12:00:00.000000Z"] * 2
    world.clock.advance(timedelta(seconds=1))
    # It is noted behind the answer, so the next one has it.
    assert await last_used() == "2026-01-01T12:00:00.000000Z"
    assert await last_used() == "2026-01-01T12:01:00.000000Z"
    world.clock.advance(timedelta(seconds=59))
    assert [await last_used(), await last_used()] == ["2026-01-01T12:01:00.000000Z"] * 2


async def test_whoever_comes_at_the_same_time_has_it_noted_once(client: httpx.AsyncClient, world: World) -> None:
    mine = await signed_in(client)
    world.clock.advance(timedelta(minutes=2))
    answers = await at_once(20, lambda _: client.get("/v1/users/me", headers=mine))
    assert {answer.status_code for answer in answers} == {200}
    current = await client.get("/v1/sessions/current", headers=mine)
    assert current.json()["last_used_at"] == "2026-01-01T12:02:00.000000Z"


async def test_i_end_one_of_them(client: httpx.AsyncClient) -> None:
    """ST-06."""
    first = await signed_in(client)
    second = await another(client)
    lost = (await client.get("/v1/sessions/current", headers=first)).json()["id"]
    assert (await client.delete(f"/v1/sessions/{lost}", headers=second)).status_code == 204
    assert (await client.get("/v1/users/me", headers=first)).status_code == 401
    again = await client.delete(f"/v1/sessions/{lost}", headers=second)
    assert (again.status_code, again.json()["code"]) == (404, "session_not_found")


async def test_ad_02_a_foreign_session_is_not_there(client: httpx.AsyncClient) -> None:
    ada, eve = await signed_in(client), await signed_in(client, "eve@example.com")
    hers = (await client.get("/v1/sessions/current", headers=eve)).json()["id"]
    answer = await client.delete(f"/v1/sessions/{hers}", headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
    assert (await client.get("/v1/users/me", headers=eve)).status_code == 200


@pytest.mark.parametrize("session_id", ["x", "0", "%00", "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3", "' OR 1=1"])
async def test_what_is_no_id_leads_nowhere(client: httpx.AsyncClient, session_id: str) -> None:
    """Fault 41."""
    answer = await client.delete(f"/v1/sessions/{session_id}", headers=await signed_in(client))
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    assert "detail" not in answer.json()


async def test_i_end_all_others(client: httpx.AsyncClient) -> None:
    """ST-06."""
    mine = await signed_in(client)
    others = [await another(client) for _ in range(3)]
    answers = await at_once(5, lambda _: client.delete("/v1/sessions", headers=mine))
    assert {answer.status_code for answer in answers} == {204}
    assert len((await client.get("/v1/sessions", headers=mine)).json()["items"]) == 1
    for other in others:
        assert (await client.get("/v1/users/me", headers=other)).status_code == 401


async def test_pw_08_i_change_my_password(client: httpx.AsyncClient) -> None:
    mine = await signed_in(client)
    other = await another(client)
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = await client.put("/v1/users/me/password", json=body, headers=mine)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get("/v1/users/me", headers=mine)).status_code == 200
    assert (await client.get("/v1/users/me", headers=other)).status_code == 401
    assert (await sign_in(client, password=PASSWORD)).status_code == 401
    assert (await sign_in(client, password=NEW)).status_code == 201


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("not the password", NEW, 403, "wrong_password"),
        ("", NEW, 403, "wrong_password"),
        (PASSWORD, "short", 422, "password_rejected"),
        (PASSWORD, 7, 422, "invalid_input"),
    ],
)
async def test_pw_08_a_change_that_is_refused_changes_nothing(
    client: httpx.AsyncClient, current: str, new: object, status: int, code: str
) -> None:
    mine = await signed_in(client)
    body = {"current_password": current, "new_password": new}
    answer = await client.put("/v1/users/me/password", json=body, headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status == 422:
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/new_password"}
    assert (await sign_in(client)).status_code == 201


async def test_of_many_changes_at_once_one_wins(client: httpx.AsyncClient) -> None:
    """Fault 18."""
    mine = await signed_in(client)
    answers = await at_once(
        10,
        lambda number: client.put(
            "/v1/users/me/password",
            json={"current_password": PASSWORD, "new_password": f"{NEW} {number}"},
            headers=mine,
        ),
    )
    codes = [answer.status_code for answer in answers]
    assert codes.count(204) == 1
    assert set(codes) <= {204, 403, 409}


@pytest.fixture
def app(world: World) -> FastAPI:
    """An app of these tests' own, since one of them adds a route to it."""
    return create_app(world.container, config=CONFIG)


async def test_what_is_worth_asking_again_is_answered_with_a_step_up(
    client: httpx.AsyncClient, app: FastAPI, world: World
) -> None:
    """ST-13."""

    async def guarded(caller: RecentUser) -> dict[str, str]:
        return {"id": str(caller.user_id)}

    app.add_api_route("/guarded", guarded)
    await signed_in(client)
    tokens = (await sign_in(client)).json()
    mine = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/guarded", headers=mine)).status_code == 200
    assert (await client.get("/guarded")).json()["code"] == "invalid_access_token"

    world.clock.advance(timedelta(minutes=11))
    body = {"refresh_token": tokens["refresh_token"]}
    token = (await client.post("/v1/sessions/refresh", json=body)).json()["access_token"]
    mine = {"Authorization": f"Bearer {token}"}
    refused = await client.get("/guarded", headers=mine)
    assert (refused.status_code, refused.json()["code"]) == (401, "reauthentication_required")
    assert refused.headers["www-authenticate"] == (
        'Bearer realm="hallporter", error="insufficient_user_authentication", max_age="600"'
    )

    url = "/v1/users/me/reauthentications"
    wrong = await client.post(url, json={"password": "not the password"}, headers=mine)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert (await client.get("/guarded", headers=mine)).status_code == 401
    proven = await client.post(url, json={"password": PASSWORD}, headers=mine)
    assert (proven.status_code, proven.json()["authenticated_at"]) == (200, "2026-01-01T12:11:00.000000Z")
    assert (await client.get("/guarded", headers=mine)).status_code == 200


async def test_hd_04_signing_out_leaves_nothing_in_the_browser(client: httpx.AsyncClient) -> None:
    gone = await client.delete("/v1/sessions/current", headers=await signed_in(client))
    assert gone.headers["clear-site-data"] == '"cache", "storage"'
