"""`/v1/users`."""

from uuid import UUID

import httpx
import pytest

from application.ports.user_search import UserFilter, UserOrder
from domain.users.user import User
from tests.http.conftest import at_once, register, signed_in
from tests.world import EMAIL, PASSWORD, World


async def test_a_person_registers(client: httpx.AsyncClient) -> None:
    answer = await register(client, "Ada@Example.com", display_name="Ada", locale="en")
    assert answer.status_code == 201
    body = answer.json()
    assert UUID(body.pop("id")).version == 7
    assert body.pop("created_at") == body.pop("updated_at") == "2026-01-01T12:00:00.000000Z"
    assert body == {
        "email": "Ada@example.com",
        "email_verified": False,
        "display_name": "Ada",
        "locale": "en",
        "is_active": True,
        "deletion_due_at": None,
        "roles": [],
    }
    assert answer.headers["location"] == "/v1/users/me"
    assert answer.headers["cache-control"] == "no-store"


async def test_an_address_can_be_registered_once(client: httpx.AsyncClient) -> None:
    assert (await register(client)).status_code == 201
    again = await register(client, EMAIL.upper())
    assert again.status_code == 400
    assert again.json()["code"] == "email_already_registered"
    assert again.json()["title"] == "Email already registered"


async def test_one_of_fifty_registrations_at_once_wins(client: httpx.AsyncClient) -> None:
    """Fault 13."""
    answers = await at_once(50, lambda _: register(client))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 49


@pytest.mark.parametrize(
    "field",
    ["id", "roles", "is_active", "is_admin", "email_verified", "email_verified_at", "security_epoch", "version"],
)
async def test_ad_03_nobody_sets_what_is_not_theirs_to_set(client: httpx.AsyncClient, field: str) -> None:
    refused = await client.post("/v1/users", json={"email": EMAIL, "password": PASSWORD, field: ["admin"]})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"pointer": f"/{field}", "code": "unknown_field", "detail": "This field is not known here."}
    ]
    headers = await signed_in(client)
    assert (await client.patch("/v1/users/me", json={field: ["admin"]}, headers=headers)).status_code == 422


async def test_a_rejected_password_names_every_reason_and_repeats_nothing(client: httpx.AsyncClient) -> None:
    answer = await register(client, password="hallporter")
    assert (answer.status_code, answer.json()["code"]) == (422, "password_rejected")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/password", "/password"]
    assert {error["code"] for error in answer.json()["errors"]} == {"password_too_short", "password_guessable"}


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"email": "nobody"}, "/email", "invalid_email"),
        ({"email": "x" * 300}, "/email", "too_long"),
        ({"email": None}, "/email", "not_a_string"),
        ({"email": 7}, "/email", "not_a_string"),
        ({"password": ["x"]}, "/password", "not_a_string"),
        ({"password": "x" * 1025}, "/password", "too_long"),
        ({"display_name": ""}, "/display_name", "invalid_display_name"),
        ({"display_name": "x" * 101}, "/display_name", "too_long"),
        ({"display_name": True}, "/display_name", "not_a_string"),
        ({"locale": "?"}, "/locale", "invalid_locale"),
    ],
)
async def test_an_invalid_field_is_pointed_at(
    client: httpx.AsyncClient, fields: dict[str, object], pointer: str, code: str
) -> None:
    """IN-02, DA-04, fault 40: what is too long is refused before anything is made of it."""
    answer = await client.post("/v1/users", json={"email": EMAIL, "password": PASSWORD} | fields)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, code)]


async def test_missing_fields_are_named_together(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/users", json={})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/email", "/password"]


async def test_who_am_i(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    answer = await client.get("/v1/users/me", headers=headers)
    assert (answer.status_code, answer.json()["email"]) == (200, EMAIL)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer é"])
async def test_without_a_token_nobody_is_anybody(client: httpx.AsyncClient, method: str, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode())]
    answer = await client.request(method, "/v1/users/me", headers=headers, json={} if method == "PATCH" else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_access_token")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="hallporter"')
    assert ("error=" in answer.headers["www-authenticate"]) is (header is not None)


async def test_a_profile_is_changed_by_a_merge_patch(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    url = "/v1/users/me"
    assert (await client.patch(url, json={"display_name": "Ada", "locale": "en"}, headers=headers)).status_code == 200
    answer = await client.patch(url, json={"locale": None}, headers=headers)
    assert (answer.json()["display_name"], answer.json()["locale"]) == ("Ada", None)
    assert (await client.get(url, headers=headers)).json() == answer.json()
    merge_patch = headers | {"Content-Type": "application/merge-patch+json"}
    assert (await client.patch(url, content=b'{"locale": "de"}', headers=merge_patch)).json()["locale"] == "de"


async def test_an_unchanged_profile_is_not_sent_again(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    tag = (await client.get("/v1/users/me", headers=headers)).headers["etag"]
    for seen in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await client.get("/v1/users/me", headers=headers | {"If-None-Match": seen})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    answer = await client.get("/v1/users/me", headers=headers | {"If-None-Match": '"other"'})
    assert answer.status_code == 200


async def test_a_change_to_an_older_version_is_refused(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    url = "/v1/users/me"
    old = (await client.get(url, headers=headers)).headers["etag"]
    changed = await client.patch(url, json={"display_name": "Ada"}, headers=headers | {"If-Match": old})
    assert changed.status_code == 200
    new = changed.headers["etag"]
    assert new != old
    for stale in (old, f"W/{new}", '"other"', "nonsense", f"junk{new}junk"):
        answer = await client.patch(url, json={"display_name": "Eve"}, headers=headers | {"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    for present in (new, f'"other", {new}', "*"):
        answer = await client.patch(url, json={"display_name": "Ada"}, headers=headers | {"If-Match": present})
        assert answer.status_code == 200


async def test_of_twenty_conditional_changes_at_once_one_wins(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    headers["If-Match"] = (await client.get("/v1/users/me", headers=headers)).headers["etag"]
    answers = await at_once(
        20, lambda number: client.patch("/v1/users/me", json={"display_name": f"{number}"}, headers=headers)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


async def test_of_twenty_changes_at_once_none_is_refused(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    answers = await at_once(
        20, lambda number: client.patch("/v1/users/me", json={"display_name": f"{number}"}, headers=headers)
    )
    assert [answer.status_code for answer in answers] == [200] * 20


async def test_entity_tags_of_two_users_differ(client: httpx.AsyncClient) -> None:
    ada, eve = await signed_in(client, "ada@example.com"), await signed_in(client, "eve@example.com")
    tags = {(await client.get("/v1/users/me", headers=headers)).headers["etag"] for headers in (ada, eve)}
    assert len(tags) == 2


async def test_st_05_a_suspended_user_is_out_at_once(client: httpx.AsyncClient, world: World) -> None:
    """Incident 30."""
    headers = await signed_in(client)
    me = (await client.get("/v1/users/me", headers=headers)).json()
    await world.suspend(next(user.id for user in await users_of(world) if str(user.id) == me["id"]))
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 401


async def users_of(world: World) -> list[User]:
    async with world.unit_of_work.read() as tx:
        return list((await tx.users.page(only=UserFilter(), order=UserOrder.NEWEST, after=None, limit=100)).items)


async def test_nobody_is_deleted_who_is_not_as_they_were_seen(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    tag = (await client.get("/v1/users/me", headers=headers)).headers["etag"]
    changed = await client.patch("/v1/users/me", json={"display_name": "Ada"}, headers=headers)
    refused = await client.request("DELETE", "/v1/users/me", json={}, headers=headers | {"If-Match": tag})
    assert (refused.status_code, refused.json()["code"]) == (412, "stale_version")
    now = {"If-Match": changed.headers["etag"]}
    assert (await client.request("DELETE", "/v1/users/me", json={}, headers=headers | now)).status_code == 202
