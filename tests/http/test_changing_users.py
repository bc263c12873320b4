"""Operators make users, change them, and let them go."""

import asyncio
import base64
import json
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from domain.messages.message import MessageKind
from domain.users.roles import ADMIN
from tests.http.conftest import make_admin, register, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, World, token_of

PORTER = "porter@example.com"
USERS = "/v1/admin/users"
GRACE = "grace@example.com"
NEW = "a louder harbour at noon"


def claims_of(token: str) -> dict[str, object]:
    """What it says, by whichever signer."""
    payload = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """The headers of an operator."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    return headers


@pytest.fixture
async def ada(client: httpx.AsyncClient, world: World, porter: dict[str, str]) -> str:
    """Where a user is. Nothing is left to be mailed."""
    user_id = (await register(client)).json()["id"]
    await world.work()
    assert porter
    return f"{USERS}/{user_id}"


async def change(
    client: httpx.AsyncClient, headers: dict[str, str], user: str, if_match: str = "*", **changes: object
) -> httpx.Response:
    return await client.patch(user, json=changes, headers=headers | {"If-Match": if_match})


async def last_event(world: World, email: str = EMAIL) -> tuple[str, dict[str, object]]:
    """But for what somebody was refused."""
    async with world.unit_of_work.read() as tx:
        entries = await tx.audit.of_user((await world.user(email)).id, limit=2)
    entry = next(entry for entry in entries if entry.event != "access.denied")
    return entry.event, dict(entry.details)


async def test_whoever_is_invited_chooses_a_password_and_comes_in(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    await world.work()
    body = {"email": GRACE, "display_name": "Grace", "roles": ["billing.reader"]}
    made = await client.post(USERS, json=body, headers=porter)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    shown = await client.get(made.headers["location"], headers=porter)
    assert (shown.json(), shown.headers["etag"]) == (made.json(), made.headers["etag"])
    assert made.json() | {"email": GRACE, "roles": ["billing.reader"], "has_password": False} == made.json()

    (mail,) = await world.work()
    assert (mail.kind, mail.recipient.canonical, mail.content["link_days"]) == (MessageKind.INVITATION, GRACE, "7")
    assert "/accept-invitation#hp_in_" in mail.content["link"]
    assert (await sign_in(client, GRACE)).status_code == 401
    world.clock.advance(timedelta(days=6))
    answer = await client.post("/v1/password-resets/confirm", json={"token": token_of(mail), "new_password": NEW})
    assert answer.status_code == 204
    assert (await sign_in(client, GRACE, NEW)).status_code == 201
    assert (await world.user(GRACE)).email_verified
    again = await client.post("/v1/password-resets/confirm", json={"token": token_of(mail), "new_password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (422, "invalid_token")


async def test_a_user_may_be_made_with_a_password_and_verified(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    await world.work()
    body = {"email": GRACE, "password": PASSWORD, "email_verified": True}
    made = await client.post(USERS, json=body, headers=porter)
    assert (made.status_code, made.json()["email_verified"]) == (201, True)
    assert await world.work() == []
    assert (await sign_in(client, GRACE)).status_code == 201
    operator = str((await world.user(PORTER)).id)
    async with world.unit_of_work.read() as tx:
        first = (await tx.audit.of_user((await world.user(GRACE)).id))[-1]
    assert (first.event, first.details["by"]) == ("user.registered", operator)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": PORTER.upper()}, 409, "email_already_registered"),
        ({"email": "nobody"}, 422, "invalid_input"),
        ({"email": GRACE, "password": "short and bad"}, 422, "password_rejected"),
        ({"email": GRACE, "roles": ["Admin"]}, 422, "invalid_input"),
        ({"email": GRACE, "roles": ["a" * 41]}, 422, "invalid_input"),
        ({"email": GRACE, "roles": [f"role{number}" for number in range(21)]}, 422, "invalid_input"),
        ({"email": GRACE, "roles": "admin"}, 422, "invalid_input"),
        ({"email": GRACE, "email_verified": "true"}, 422, "invalid_input"),
        ({"email": GRACE, "locale": "english"}, 422, "invalid_input"),
    ],
)
async def test_whom_nobody_can_make_is_said(
    client: httpx.AsyncClient, porter: dict[str, str], body: dict[str, object], status: int, code: str
) -> None:
    answer = await client.post(USERS, json=body, headers=porter)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    lookup = await client.post(f"{USERS}/lookups", json={"email": GRACE}, headers=porter)
    assert lookup.status_code == 404


async def test_ap_04_whoever_is_made_twice_with_one_key_is_made_once(
    client: httpx.AsyncClient, porter: dict[str, str]
) -> None:
    keyed = porter | {"Idempotency-Key": str(uuid4())}
    first = await client.post(USERS, json={"email": GRACE}, headers=keyed)
    second = await client.post(USERS, json={"email": GRACE}, headers=keyed)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.json(), second.headers["idempotency-replayed"]) == (first.json(), "true")


async def test_what_is_said_changes_and_nothing_else(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    before = (await client.get(ada, headers=porter)).json()
    changed = await change(client, porter, ada, display_name="Ada", locale="de")
    assert changed.status_code == 200
    assert changed.json() == before | {
        "display_name": "Ada",
        "locale": "de",
        "updated_at": changed.json()["updated_at"],
    }
    assert (await change(client, porter, ada, display_name=None)).json()["display_name"] is None
    assert await last_event(world) == (
        "user.profile_updated",
        {"changed": ["display_name"], "by": str((await world.user(PORTER)).id)},
    )
    same = await change(client, porter, ada, display_name=None, locale="de", email=EMAIL, roles=[])
    assert (same.status_code, same.headers["etag"]) == (
        200,
        (await client.get(ada, headers=porter)).headers["etag"],
    )
    assert (await last_event(world))[0] == "user.profile_updated"


async def test_only_the_version_that_was_read_is_changed(
    client: httpx.AsyncClient, porter: dict[str, str], ada: str
) -> None:
    for request in (
        client.patch(ada, json={"locale": "de"}, headers=porter),
        client.request("DELETE", ada, headers=porter),
    ):
        answer = await request
        assert (answer.status_code, answer.json()["code"]) == (428, "if_match_required")
    old = (await client.get(ada, headers=porter)).headers["etag"]
    new = (await change(client, porter, ada, old, locale="de")).headers["etag"]
    for stale in (old, '"made up"', "no tag"):
        answer = await change(client, porter, ada, stale, locale="en")
        assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
        answer = await client.request("DELETE", ada, headers=porter | {"If-Match": stale})
        assert answer.status_code == 412
    assert (await change(client, porter, ada, f'"other", {new}', locale="en")).status_code == 200


async def test_of_twenty_who_change_one_version_one_does(
    client: httpx.AsyncClient, porter: dict[str, str], ada: str
) -> None:
    tag = (await client.get(ada, headers=porter)).headers["etag"]
    answers = await asyncio.gather(
        *(change(client, porter, ada, tag, display_name=f"Ada {number}") for number in range(20))
    )
    assert sorted({answer.status_code for answer in answers}) == [200, 412]
    assert [answer.status_code for answer in answers].count(200) == 1


async def test_ad_05_roles_count_from_the_next_request_on_and_are_in_the_next_token(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    tokens = (await sign_in(client)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get(USERS, headers=bearer)).status_code == 403
    given = await change(client, porter, ada, roles=[ADMIN, "billing.reader"])
    assert given.json()["roles"] == [ADMIN, "billing.reader"]
    assert (await client.get(USERS, headers=bearer)).status_code == 200
    for path, body in (
        ("/v1/sessions/refresh", {"refresh_token": tokens["refresh_token"]}),
        ("/v1/sessions", {"email": EMAIL, "password": PASSWORD}),
    ):
        token = (await client.post(path, json=body)).json()["access_token"]
        assert claims_of(token)["roles"] == [ADMIN, "billing.reader"]
    assert claims_of(tokens["access_token"])["roles"] == []
    assert (await change(client, porter, ada, roles=["billing.reader"])).status_code == 200
    assert (await client.get(USERS, headers=bearer)).status_code == 403
    assert await last_event(world) == (
        "user.roles_changed",
        {"given": [], "taken": [ADMIN], "by": str((await world.user(PORTER)).id)},
    )


async def test_la_01_an_address_that_is_written_otherwise_is_written_down(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    """Whose it is stays as it is, but mail goes to it as it is written."""
    changed = await change(client, porter, ada, email="ADA@example.com")
    assert (changed.status_code, changed.json()["email"]) == (200, "ADA@example.com")
    by = str((await world.user(PORTER)).id)
    assert await last_event(world) == ("user.profile_updated", {"changed": ["email"], "by": by})


async def test_ad_05_the_last_operator_keeps_the_role_and_stays(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    own = f"{USERS}/{(await world.user(PORTER)).id}"
    refused = [
        await change(client, porter, own, roles=[]),
        await client.request("DELETE", own, headers=porter | {"If-Match": "*"}),
        await client.request("DELETE", own, params={"mode": "erase"}, headers=porter | {"If-Match": "*"}),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(409, "last_admin")] * 3
    assert (await change(client, porter, own, roles=[ADMIN, "porter"], locale="de")).status_code == 200
    assert (await change(client, porter, ada, roles=[ADMIN])).status_code == 200
    assert (await change(client, porter, own, roles=[])).status_code == 200
    assert (await client.get(own, headers=porter)).status_code == 403


async def test_ad_05_who_is_merely_invited_is_no_other_operator(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    """The invitation may have gone to a mistyped address: then nobody could let anybody in again."""
    invited = await client.post(USERS, json={"email": GRACE, "roles": [ADMIN]}, headers=porter)
    assert invited.status_code == 201
    own = f"{USERS}/{(await world.user(PORTER)).id}"
    refused = await change(client, porter, own, roles=[])
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    assert (await change(client, porter, f"{USERS}/{invited.json()['id']}", email_verified=True)).status_code == 200
    assert (await change(client, porter, own, roles=[])).status_code == 200


async def test_ad_05_two_operators_who_take_each_others_role_leave_one(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    own = f"{USERS}/{(await world.user(PORTER)).id}"
    other_id = (await register(client, GRACE)).json()["id"]
    for _ in range(20):
        await make_admin(world, GRACE)
        await make_admin(world, PORTER)
        porter = {"Authorization": f"Bearer {(await sign_in(client, PORTER)).json()['access_token']}"}
        other = {"Authorization": f"Bearer {(await sign_in(client, GRACE)).json()['access_token']}"}
        answers = await asyncio.gather(
            change(client, porter, f"{USERS}/{other_id}", roles=[]), change(client, other, own, roles=[])
        )
        assert [answer.status_code for answer in answers].count(200) == 1, [answer.text for answer in answers]
        admins = [user for email in (GRACE, PORTER) if (user := await world.user(email)).is_admin]
        assert len(admins) == 1


async def test_another_address_is_told_to_both_mailboxes_and_ends_everything(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    assert (await change(client, porter, ada, email_verified=True)).json()["email_verified"] is True
    tokens = (await sign_in(client)).json()
    await world.work()
    moved = await change(client, porter, ada, email="ada@example.org")
    assert (moved.status_code, moved.json()["email"], moved.json()["email_verified"]) == (
        200,
        "ada@example.org",
        False,
    )
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/users/me", headers=bearer)).status_code == 401
    mails = {mail.kind: mail for mail in await world.work()}
    assert {kind: mail.recipient.canonical for kind, mail in mails.items()} == {
        MessageKind.EMAIL_SET: EMAIL,
        MessageKind.VERIFY_EMAIL: "ada@example.org",
    }
    assert "link" not in mails[MessageKind.EMAIL_SET].content
    assert (await sign_in(client, "ada@example.org")).status_code == 201
    assert (await sign_in(client)).status_code == 401
    taken = await change(client, porter, ada, email=PORTER)
    assert (taken.status_code, taken.json()["code"]) == (409, "email_already_registered")


async def test_whoever_has_not_proven_the_old_mailbox_is_not_told(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    moved = await change(client, porter, ada, email="Ada@Example.org", email_verified=True)
    assert (moved.json()["email"], moved.json()["email_verified"]) == ("Ada@example.org", True)
    assert await world.work() == []
    spelt = await change(client, porter, ada, email="ADA@example.org")
    assert (spelt.json()["email"], spelt.json()["email_verified"]) == ("ADA@example.org", True)


async def test_em_05_what_an_operator_set_is_not_undone_from_an_older_mailbox(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    await change(client, porter, ada, email_verified=True)
    async with world.unit_of_work.begin() as tx:
        # As a file of another system may have it.
        user = await tx.users.get((await world.user()).id)
        user.created_at += timedelta(days=900)
        await tx.users.save(user)
    bearer = {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}
    asked = await client.post("/v1/users/me/email-changes", json={"new_email": "thief@example.com"}, headers=bearer)
    assert asked.status_code == 202
    mails = {mail.kind: token_of(mail) for mail in await world.work() if "link" in mail.content}
    assert (await change(client, porter, ada, email="ada@example.org")).status_code == 200
    for path, kind in (
        ("/v1/email-changes/confirm", MessageKind.CONFIRM_EMAIL_CHANGE),
        ("/v1/email-changes/revert", MessageKind.EMAIL_CHANGE_REQUESTED),
    ):
        assert (await client.post(path, json={"token": mails[kind]})).status_code == 422
    assert (await world.user("ada@example.org")).email.canonical == "ada@example.org"


async def test_pr_02_whoever_is_deleted_has_time_unless_erased(
    client: httpx.AsyncClient, world: World, porter: dict[str, str], ada: str
) -> None:
    bearer = {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}
    scheduled = await client.request("DELETE", ada, headers=porter | {"If-Match": "*"})
    assert (scheduled.status_code, scheduled.headers["cache-control"]) == (202, "no-store")
    shown = (await client.get(ada, headers=porter)).json()
    assert (shown["status"], shown["deletion_due_at"]) == (
        ["deletion_scheduled"],
        scheduled.json()["deletion_due_at"],
    )
    assert (await client.get("/v1/users/me", headers=bearer)).status_code == 401
    assert (await client.post(f"{ada}/deletion-cancellations", headers=porter)).status_code == 204
    again = await client.post(f"{ada}/deletion-cancellations", headers=porter)
    assert (again.status_code, again.json()["code"]) == (409, "deletion_not_scheduled")
    assert (await client.get(ada, headers=porter)).json()["status"] == ["active"]

    user_id = (await world.user()).id
    erased = await client.request("DELETE", ada, params={"mode": "erase"}, headers=porter | {"If-Match": "*"})
    assert (erased.status_code, erased.content) == (204, b"")
    assert (await client.get(ada, headers=porter)).status_code == 404
    assert (await client.request("DELETE", ada, headers=porter | {"If-Match": "*"})).status_code == 404
    async with world.unit_of_work.read() as tx:
        (last, *_) = await tx.audit.of_user(user_id)
    assert (last.event, last.details) == ("user.erased", {"by": str((await world.user(PORTER)).id)})
    assert (await register(client)).json()["id"] != str(user_id)


async def test_the_document_says_how_a_user_goes(client: httpx.AsyncClient, porter: dict[str, str], ada: str) -> None:
    answer = await client.request("DELETE", ada, params={"mode": "now"}, headers=porter | {"If-Match": "*"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?mode")
