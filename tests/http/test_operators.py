"""What operators do about one user."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from domain.messages.message import MessageKind
from tests.http.conftest import make_admin, register, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, World, token_of

PORTER = "porter@example.com"
USERS = "/v1/admin/users"


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """The headers of an operator."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    return headers


@pytest.fixture
async def ada(client: httpx.AsyncClient) -> dict[str, str]:
    """A user, and what they got when they signed in."""
    user_id = (await register(client)).json()["id"]
    return {"id": user_id, **(await sign_in(client)).json()}


def bearer(ada: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {ada['access_token']}"}


async def details(world: World, event: str) -> dict[str, object]:
    """What the last event of that name about ada says."""
    async with world.unit_of_work.read() as tx:
        entries = await tx.audit.of_user((await world.user()).id)
    return dict(next(entry for entry in entries if entry.event == event).details)


async def test_a_user_is_found_by_address_in_any_spelling_and_by_id(
    client: httpx.AsyncClient, porter: dict[str, str], ada: dict[str, str]
) -> None:
    found = await client.post(f"{USERS}/lookups", json={"email": EMAIL.upper()}, headers=porter)
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    assert found.json()["id"] == ada["id"]
    shown = await client.get(f"{USERS}/{ada['id']}", headers=porter)
    assert (shown.status_code, shown.json()) == (200, found.json())
    tag = {"If-None-Match": found.headers["etag"]}
    assert (await client.get(f"{USERS}/{ada['id']}", headers=porter | tag)).status_code == 304


async def test_who_is_not_there_is_not_there(client: httpx.AsyncClient, porter: dict[str, str]) -> None:
    nobody = f"{USERS}/{uuid4()}"
    answers = [
        await client.post(f"{USERS}/lookups", json={"email": "nobody@example.com"}, headers=porter),
        await client.get(nobody, headers=porter),
        await client.get(f"{nobody}/sessions", headers=porter),
        await client.delete(f"{nobody}/sessions", headers=porter),
        await client.post(f"{nobody}/password-resets", headers=porter),
        await client.delete(f"{nobody}/throttles", headers=porter),
        await client.delete(f"/v1/admin/sessions/{uuid4()}", headers=porter),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"user_not_found", "session_not_found"}
    bad = await client.post(f"{USERS}/lookups", json={"email": "nobody"}, headers=porter)
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/email")


async def test_one_session_is_ended_and_the_others_go_on(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str]
) -> None:
    other = (await sign_in(client)).json()
    listed = (await client.get(f"{USERS}/{ada['id']}/sessions", headers=porter)).json()["items"]
    assert {session["id"] for session in listed} == {other["session_id"], ada["session_id"]}
    assert not any(session["current"] for session in listed)
    path = f"/v1/admin/sessions/{ada['session_id']}"
    assert (await client.delete(path, headers=porter)).status_code == 204
    assert (await client.get("/v1/users/me", headers=bearer(ada))).status_code == 401
    assert (await client.get("/v1/users/me", headers=bearer(other))).status_code == 200
    assert (await client.delete(path, headers=porter)).status_code == 404
    operator = str((await world.user(PORTER)).id)
    assert await details(world, "session.ended") == {
        "session_id": ada["session_id"],
        "reason": "ended_by_operator",
        "by": operator,
    }


async def test_all_sessions_are_ended_at_once(
    client: httpx.AsyncClient, porter: dict[str, str], ada: dict[str, str]
) -> None:
    other = (await sign_in(client)).json()
    for _ in range(2):
        assert (await client.delete(f"{USERS}/{ada['id']}/sessions", headers=porter)).status_code == 204
    for tokens in (ada, other):
        assert (await client.get("/v1/users/me", headers=bearer(tokens))).status_code == 401
        refreshed = await client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert refreshed.status_code == 401
    assert (await client.get("/v1/users/me", headers=porter)).status_code == 200
    assert (await sign_in(client)).status_code == 201


async def test_rc_10_a_reset_goes_to_the_users_mailbox_and_to_nobody_else(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str]
) -> None:
    await world.work()
    answer = await client.post(f"{USERS}/{ada['id']}/password-resets", headers=porter)
    assert (answer.status_code, answer.content) == (202, b"")
    mail = await world.mailed(MessageKind.RESET_PASSWORD)
    assert mail.recipient.canonical == EMAIL
    body = {"token": token_of(mail), "new_password": "a louder harbour at noon"}
    assert (await client.post("/v1/password-resets/confirm", json=body)).status_code == 204
    assert (await details(world, "password_reset.requested"))["by"] == str((await world.user(PORTER)).id)


async def test_pw_10_a_password_that_others_may_know_opens_nothing_any_more(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str]
) -> None:
    await world.work()
    answer = await client.post(f"{USERS}/{ada['id']}/password-resets", json={"discard": True}, headers=porter)
    assert answer.status_code == 202
    assert (await client.get("/v1/users/me", headers=bearer(ada))).status_code == 401
    assert (await sign_in(client)).status_code == 401
    refreshed = await client.post("/v1/sessions/refresh", json={"refresh_token": ada["refresh_token"]})
    assert refreshed.status_code == 401
    operator = str((await world.user(PORTER)).id)
    assert await details(world, "user.password_discarded") == {"by": operator}
    mail = await world.mailed(MessageKind.RESET_PASSWORD)
    body = {"token": token_of(mail), "new_password": "a louder harbour at noon"}
    assert (await client.post("/v1/password-resets/confirm", json=body)).status_code == 204
    assert (await sign_in(client, password="a louder harbour at noon")).status_code == 201


async def test_whoever_used_up_the_guesses_can_try_again(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str]
) -> None:
    wrong = {"email": EMAIL, "password": "not the password at all"}
    known = wrong | {"device_token": ada["device_token"]}
    for body, count in ((wrong, 5), (known, 10)):
        statuses = [(await client.post("/v1/sessions", json=body)).status_code for _ in range(count + 1)]
        assert statuses == [401] * count + [429]
    assert (await client.delete(f"{USERS}/{ada['id']}/throttles", headers=porter)).status_code == 204
    for body in (wrong, known):
        assert (await client.post("/v1/sessions", json=body)).status_code == 401
    assert (await details(world, "throttles.cleared")) == {"by": str((await world.user(PORTER)).id)}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"{USERS}/{{id}}/sessions"),
        ("DELETE", "/v1/admin/sessions/{session_id}"),
        ("POST", f"{USERS}/{{id}}/password-resets"),
        ("DELETE", f"{USERS}/{{id}}/throttles"),
    ],
)
async def test_ad_07_what_operators_change_takes_a_recent_proof(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str], method: str, path: str
) -> None:
    world.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))
    assert (await client.get(f"{USERS}/{ada['id']}", headers=porter)).status_code == 200
    renewed = await client.post(
        "/v1/sessions/refresh",
        json={"refresh_token": (await sign_in(client, PORTER)).json()["refresh_token"]},
    )
    world.clock.advance(timedelta(minutes=9))
    fresh = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
    world.clock.advance(timedelta(seconds=59))
    url = path.format(**ada)
    world.clock.advance(timedelta(seconds=1))
    refused = await client.request(method, url, headers=fresh)
    assert refused.json()["code"] in {"reauthentication_required", "invalid_access_token"}
    again = {"Authorization": f"Bearer {(await sign_in(client, PORTER)).json()['access_token']}"}
    assert (await client.request(method, url, headers=again)).is_success


async def test_whoever_is_no_operator_any_more_is_none_at_once(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: dict[str, str]
) -> None:
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.get((await world.user(PORTER)).id)
        user.roles = frozenset()
        await tx.users.save(user)
    answer = await client.get(f"{USERS}/{ada['id']}", headers=porter)
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_required")
    assert PASSWORD not in answer.text
