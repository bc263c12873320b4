"""Passkeys, by HTTP: on PostgreSQL with signatures that are checked, and authenticators that lie."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.http import cookies
from domain.messages.message import MessageKind
from tests.authenticator import ES256, Authenticator, SoftwareAuthenticator, key_pair
from tests.factors import prove_address
from tests.http.apps import FACTORS, enrolled
from tests.http.conftest import ORIGIN, at_once, register, sign_in, signed_in
from tests.passkeys import authenticator_of
from tests.world import EMAIL, PASSWORD, World

PASSKEYS = "/v1/users/me/passkeys"
OPTIONS = "/v1/passkeys/options"
SESSIONS = "/v1/passkeys/sessions"
PROOFS = "/v1/users/me/reauthentications"

type Body = dict[str, Any]


async def asked(client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None, **body: Any) -> Body:
    answer = await client.post(path, json=body if path == OPTIONS else None, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    found: Body = answer.json()
    return found


def created(authenticator: Authenticator, asked: Body) -> Body:
    return {"ceremony_id": asked["ceremony_id"], "credential": authenticator.create(asked["options"])}


def shown(authenticator: Authenticator, asked: Body) -> Body:
    return {"ceremony_id": asked["ceremony_id"], "credential": authenticator.get(asked["options"])}


async def registered(
    client: httpx.AsyncClient, authenticator: Authenticator, headers: dict[str, str], **more: Any
) -> Body:
    made = created(authenticator, await asked(client, f"{PASSKEYS}/options", headers))
    answer = await client.post(PASSKEYS, json={"passkey": made, **more}, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store"), answer.text
    found: Body = answer.json()
    return found


async def ada_with_passkey(client: httpx.AsyncClient, world: World) -> tuple[dict[str, str], Authenticator, Body]:
    headers = await signed_in(client)
    await prove_address(world)
    authenticator = authenticator_of(world)
    return headers, authenticator, await registered(client, authenticator, headers, name="Telephone")


async def test_a_passkey_is_registered_named_and_removed(client: httpx.AsyncClient, world: World) -> None:
    headers, authenticator, body = await ada_with_passkey(client, world)
    passkey = body["passkey"]
    assert (passkey["kind"], passkey["name"], passkey["signs_in_alone"]) == ("passkey", "Telephone", True)
    assert len(body["recovery_codes"]) == 10
    path = f"{PASSKEYS}/{passkey['id']}"
    renamed = await client.patch(path, json={"name": "Ring"}, headers=headers)
    assert (renamed.status_code, renamed.json()) == (200, passkey | {"name": "Ring"})
    listed = (await client.get(FACTORS, headers=headers)).json()
    assert (listed["items"], listed["recovery_codes_left"]) == ([passkey | {"name": "Ring"}], 10)
    again = await asked(client, f"{PASSKEYS}/options", headers)
    assert [each["id"] for each in again["options"]["excludeCredentials"]] == [
        authenticator.create(again["options"])["id"]
    ]
    taken = await client.post(PASSKEYS, json={"passkey": created(authenticator, again)}, headers=headers)
    assert (taken.status_code, taken.json()["code"]) == (409, "passkey_already_registered")
    app = await enrolled(client, world, headers)
    for wrong in (f"{PASSKEYS}/{app.factor_id}", f"{PASSKEYS}/{uuid4()}"):
        answer = await client.delete(wrong, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "factor_not_found")
    assert (await client.delete(path, headers=headers)).status_code == 204
    assert (await client.delete(path, headers=headers)).status_code == 404
    kinds = [mail.kind for mail in await world.work()]
    assert {MessageKind.PASSKEY_ADDED, MessageKind.PASSKEY_REMOVED} <= set(kinds)


async def test_registering_takes_a_proven_address_and_an_answer(client: httpx.AsyncClient, world: World) -> None:
    """PK-07"""
    headers = await signed_in(client)
    answer = await client.post(f"{PASSKEYS}/options", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    await prove_address(world)
    asked_then = await asked(client, f"{PASSKEYS}/options", headers)
    wrong = await client.post(
        PASSKEYS, json={"passkey": {"ceremony_id": asked_then["ceremony_id"], "credential": {}}}, headers=headers
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_passkey")


async def test_a_passkey_alone_signs_in(client: httpx.AsyncClient, world: World) -> None:
    _, authenticator, _ = await ada_with_passkey(client, world)
    question = await asked(client, OPTIONS)
    assert question["options"]["allowCredentials"] == []
    assert (question["options"]["userVerification"], question["expires_in"]) == ("required", 300)
    answer = await client.post(SESSIONS, json={"passkey": shown(authenticator, question)})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    tokens = answer.json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/users/me", headers=bearer)).json()["email"] == EMAIL
    assert (await client.get("/v1/sessions/current", headers=bearer)).json()["methods"] == ["pop", "mfa"]
    # It is as good as two factors where those are asked for.
    assert (await client.post(f"{PASSKEYS}/options", headers=bearer)).status_code == 200


async def test_its_session_may_go_into_cookies(client: httpx.AsyncClient, world: World) -> None:
    _, authenticator, _ = await ada_with_passkey(client, world)
    body = {"passkey": shown(authenticator, await asked(client, OPTIONS)), "transport": "cookie"}
    strange = await client.post(SESSIONS, json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (strange.status_code, strange.json()["code"]) == (403, "cross_site_request")
    answer = await client.post(SESSIONS, json=body, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.json()["refresh_token"]) == (201, None)
    names = {cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")}
    assert {cookies.REFRESH, cookies.DEVICE} <= names


async def test_a_passkey_is_a_second_factor(client: httpx.AsyncClient, world: World) -> None:
    _, authenticator, _ = await ada_with_passkey(client, world)
    first = (await sign_in(client)).json()
    assert first["factors"] == ["passkey", "recovery_code"]
    question = await asked(client, OPTIONS, challenge_id=first["challenge_id"])
    (allowed,) = question["options"]["allowCredentials"]
    answered = shown(authenticator, question)
    assert allowed["id"] == answered["credential"]["id"]
    answer = await client.post(f"/v1/sessions/challenges/{first['challenge_id']}", json={"passkey": answered})
    assert answer.status_code == 201, answer.text
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await client.get("/v1/sessions/current", headers=bearer)).json()["methods"] == ["pwd", "pop", "mfa"]


async def test_a_passkey_is_a_new_proof(client: httpx.AsyncClient, world: World) -> None:
    headers, authenticator, _ = await ada_with_passkey(client, world)
    question = await asked(client, f"{PROOFS}/options", headers)
    refused = await client.post(PROOFS, json={"password": PASSWORD}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "factor_proof_required")
    body = {"passkey": shown(authenticator, question)}
    answer = await client.post(PROOFS, json=body, headers=headers)
    assert (answer.status_code, answer.json()["methods"]) == (200, ["pwd", "pop", "mfa"])
    again = await client.post(PROOFS, json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (403, "invalid_factor")


async def test_pk_08_what_is_asked_tells_nothing_of_anybody(client: httpx.AsyncClient, world: World) -> None:
    """No address is asked for: so there is nobody to tell about, and nothing to feign."""
    nobody_here = await asked(client, OPTIONS)
    await ada_with_passkey(client, world)
    somebody_here = await asked(client, OPTIONS)
    differs = {"ceremony_id", "challenge"}
    for one, other in ((nobody_here, somebody_here), (nobody_here["options"], somebody_here["options"])):
        assert {key for key in one | other if one.get(key) != other.get(key)} <= differs | {"options"}
    for body in ({"email": EMAIL}, {"challenge_id": "no id"}):
        assert (await client.post(OPTIONS, json=body)).status_code == 422
    made_up = await client.post(OPTIONS, json={"challenge_id": str(uuid4())})
    assert (made_up.status_code, made_up.json()["code"]) == (401, "invalid_factor")
    refused = [
        await client.post(SESSIONS, json={"passkey": {"ceremony_id": ceremony_id, "credential": credential}})
        for ceremony_id in (str(uuid4()), somebody_here["ceremony_id"])
        for credential in ({}, {"id": "cGFzc2tleQ", "response": {"userHandle": "AA"}}, {"id": [None]})
    ]
    assert {(answer.status_code, answer.json()["code"], answer.json()["title"]) for answer in refused} == {
        (401, "invalid_passkey", refused[0].json()["title"])
    }


LIES: dict[str, Callable[[SoftwareAuthenticator], SoftwareAuthenticator]] = {
    "another page": lambda one: replace(one, origin="https://evil.example.com"),
    "a page below": lambda one: replace(one, origin="https://sub.accounts.example.com"),
    "a frame of others": lambda one: replace(one, client_data={"crossOrigin": True}),
    "a frame in others": lambda one: replace(one, client_data={"topOrigin": "https://evil.example.com"}),
    "another domain": lambda one: replace(one, rp_id="evil.example.com"),
    "nobody there": lambda one: replace(one, user_present=False),
    "nobody verified": lambda one: replace(one, user_verified=False),
    "another key": lambda one: replace(one, key=key_pair(ES256, 1)),
    "another owner": lambda one: replace(one, user_handle=b"the handle of Eve"),
    "no owner": lambda one: replace(one, user_handle=None),
    "another passkey": lambda one: replace(one, credential_id=b"another"),
    "no longer to be backed up": lambda one: replace(one, backup_eligible=False, backed_up=False),
}


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("lie", LIES)
async def test_pk_02_what_is_wrong_opens_nothing(client: httpx.AsyncClient, world: World, lie: str) -> None:
    """PK-03, PK-05, PK-06"""
    _, honest, _ = await ada_with_passkey(client, world)
    assert isinstance(honest, SoftwareAuthenticator)
    answer = await client.post(SESSIONS, json={"passkey": shown(LIES[lie](honest), await asked(client, OPTIONS))})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_passkey")
    assert answer.json()["reference"] is not None
    well = await client.post(SESSIONS, json={"passkey": shown(honest, await asked(client, OPTIONS))})
    assert well.status_code == 201


async def test_pk_01_of_many_answers_at_once_one_signs_in(client: httpx.AsyncClient, world: World) -> None:
    _, authenticator, _ = await ada_with_passkey(client, world)
    body = {"passkey": shown(authenticator, await asked(client, OPTIONS))}
    answers = await at_once(20, lambda _: client.post(SESSIONS, json=body))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 19]


async def test_pk_07_nobody_else_renames_or_removes_it(client: httpx.AsyncClient, world: World) -> None:
    """Incident 43."""
    _, _, body = await ada_with_passkey(client, world)
    await register(client, "bob@example.com")
    bob = {"Authorization": f"Bearer {(await sign_in(client, 'bob@example.com')).json()['access_token']}"}
    path = f"{PASSKEYS}/{body['passkey']['id']}"
    for answer in (
        await client.patch(path, json={"name": "Mine"}, headers=bob),
        await client.delete(path, headers=bob),
        await client.delete(f"{FACTORS}/{body['passkey']['id']}", headers=bob),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "factor_not_found")


async def test_pk_07_the_last_way_in_stays_by_whichever_route(client: httpx.AsyncClient, world: World) -> None:
    _, authenticator, body = await ada_with_passkey(client, world)
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.get((await world.user()).id)
        user.discard_password(at=world.clock.now())
        await tx.users.save(user)
    tokens = (await client.post(SESSIONS, json={"passkey": shown(authenticator, await asked(client, OPTIONS))})).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    for path in (PASSKEYS, FACTORS):
        answer = await client.delete(f"{path}/{body['passkey']['id']}", headers=bearer)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")


async def test_pr_01_the_export_has_what_is_held_of_a_passkey(client: httpx.AsyncClient, world: World) -> None:
    headers, authenticator, body = await ada_with_passkey(client, world)
    (exported,) = (await client.get("/v1/users/me/export", headers=headers)).json()["factors"]
    question = await asked(client, f"{PROOFS}/options", headers)
    (allowed,) = question["options"]["allowCredentials"]
    assert (exported["id"], exported["credential_id"]) == (body["passkey"]["id"], allowed["id"])
    assert (exported["backed_up"], exported["transports"]) == (True, allowed["transports"])
    assert exported["user_handle"] == authenticator.get(question["options"])["response"]["userHandle"]
