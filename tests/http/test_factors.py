"""Second factors, by HTTP."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.http import cookies
from adapters.http.route_policies import Access
from application.ports.secret_sealer import SecretSealer
from domain.messages.message import MessageKind
from domain.mfa.totp import secret_text
from entrypoints.settings import LogFormat
from tests.factors import App, prove_address
from tests.http.apps import FACTORS, activated, enrolled, offered
from tests.http.conftest import ORIGIN, at_once, make_admin, register, sign_in, signed_in
from tests.http.requests_of_routes import call, named
from tests.http.test_logs import logging_to
from tests.world import EMAIL, PASSWORD, World, make_world, token_of

CHALLENGES = "/v1/sessions/challenges"
USERS = named(Access.USER, Access.RECENT_USER, Access.ADMIN, Access.RECENT_ADMIN)


async def ada_with_app(client: httpx.AsyncClient, world: World) -> tuple[dict[str, str], App]:
    headers = await signed_in(client)
    await prove_address(world)
    return headers, await enrolled(client, world, headers)


async def asked(client: httpx.AsyncClient, email: str = EMAIL) -> str:
    answer = await sign_in(client, email)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["challenge_id"])


async def answered(client: httpx.AsyncClient, challenge_id: str, **body: str) -> httpx.Response:
    return await client.post(f"{CHALLENGES}/{challenge_id}", json=body)


async def test_signing_in_takes_the_second_factor_of_whoever_has_one(client: httpx.AsyncClient, world: World) -> None:
    _, app = await ada_with_app(client, world)
    first = await sign_in(client)
    assert (first.status_code, first.headers["cache-control"]) == (202, "no-store")
    body = first.json()
    assert body == {
        "status": "factor_required",
        "challenge_id": body["challenge_id"],
        "factors": ["totp", "recovery_code"],
        "expires_in": 600,
    }
    second = await answered(client, body["challenge_id"], totp_code=app.next_code())
    assert (second.status_code, second.headers["cache-control"]) == (201, "no-store")
    assert second.headers["location"] == "/v1/sessions/current"
    tokens = second.json()
    assert tokens.keys() == (await sign_in_plainly(client)).keys()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/sessions/current", headers=bearer)).json()["methods"] == ["pwd", "otp", "mfa"]


async def sign_in_plainly(client: httpx.AsyncClient) -> dict[str, object]:
    await register(client, "bob@example.com")
    found: dict[str, object] = (await sign_in(client, "bob@example.com")).json()
    return found


async def test_the_answer_may_go_into_cookies(client: httpx.AsyncClient, world: World) -> None:
    _, app = await ada_with_app(client, world)
    body = {"totp_code": app.next_code(), "transport": "cookie"}
    path = f"{CHALLENGES}/{await asked(client)}"
    strange = await client.post(path, json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (strange.status_code, strange.json()["code"]) == (403, "cross_site_request")
    answer = await client.post(path, json=body, headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.json()["refresh_token"], answer.json()["device_token"]) == (201, None, None)
    assert {cookies.REFRESH, cookies.DEVICE} <= {
        cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")
    }


async def test_every_refusal_of_a_second_factor_looks_the_same(client: httpx.AsyncClient, world: World) -> None:
    """Incident 8: nothing is passed over with an empty answer either."""
    _, app = await ada_with_app(client, world)
    challenge_id = await asked(client)
    found = [
        await answered(client, challenge_id, totp_code=app.wrong_code()),
        await answered(client, challenge_id, totp_code=app.code()),
        await answered(client, challenge_id, recovery_code="7F3K-Q2MX-9RTB-0ABC-1DEF"),
        await answered(client, str(uuid4()), totp_code=app.code(1)),
    ]
    assert {(answer.status_code, answer.json()["code"], answer.json()["title"]) for answer in found} == {
        (401, "invalid_factor", found[0].json()["title"])
    }
    for body in ({}, {"totp_code": ""}, {"totp_code": "1", "recovery_code": "1"}, {"totp_code": None}):
        answer = await client.post(f"{CHALLENGES}/{challenge_id}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert (await answered(client, challenge_id, recovery_code=app.codes[0])).status_code == 201


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_mf_06_with_the_first_factor_alone_no_route_is_open(client: httpx.AsyncClient, world: World) -> None:
    """Incident 23: neither as an access token nor in whatever else is asked for."""
    await ada_with_app(client, world)
    challenge_id = await asked(client)
    for token in (challenge_id, challenge_id.replace("-", "")):
        headers = {"Authorization": f"Bearer {token}"}
        opened = [name for name in USERS if (await call(client, name, headers=headers)).status_code != 401]
        assert opened == []
    refresh = await client.post("/v1/sessions/refresh", json={"refresh_token": challenge_id})
    assert refresh.status_code == 401


async def test_mf_02_enrolling_shows_the_secret_once(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    refused = await client.post(f"{FACTORS}/totp", json={}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
    await prove_address(world)
    answer = await client.post(f"{FACTORS}/totp", json={"name": "Telephone"}, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    offer = answer.json()
    assert offer["otpauth_uri"].startswith("otpauth://totp/accounts.example.com:ada@example.com?secret=")
    drawn = ET.fromstring(offer["qr_svg"])  # noqa: S314  (our own)
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert (await client.get(FACTORS, headers=headers)).json()["items"] == []
    app = App(world, offer["id"], offer["secret"])
    wrong = await activated(client, app, headers, app.wrong_code())
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_factor")
    assert "www-authenticate" not in wrong.headers
    right = await activated(client, app, headers, app.code())
    assert (right.status_code, len(right.json()["recovery_codes"])) == (200, 10)
    listed = await client.get(FACTORS, headers=headers)
    assert listed.headers["cache-control"] == "no-store"
    assert [(item["id"], item["kind"], item["name"]) for item in listed.json()["items"]] == [
        (offer["id"], "totp", "Telephone")
    ]
    assert listed.json()["recovery_codes_left"] == 10
    assert offer["secret"] not in listed.text


async def test_mf_08_a_user_with_a_factor_is_asked_for_it_where_a_recent_proof_is_needed(
    client: httpx.AsyncClient, world: World
) -> None:
    """Incident 34."""
    headers, app = await ada_with_app(client, world)
    world.clock.advance(timedelta(minutes=9))
    token = (await sign_in_with(client, app))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    world.clock.advance(timedelta(minutes=9))
    assert (await client.post("/v1/users/me/recovery-codes", headers=headers)).status_code == 201
    world.clock.advance(timedelta(minutes=2))
    token = (await sign_in_with(client, app))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    world.clock.advance(timedelta(minutes=9, seconds=59))
    again = "/v1/users/me/reauthentications"
    by_password = await client.post(again, json={"password": PASSWORD}, headers=headers)
    assert (by_password.status_code, by_password.json()["code"]) == (403, "factor_proof_required")
    wrong = await client.post(again, json={"totp_code": app.wrong_code()}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "invalid_factor")
    for body in ({}, {"password": PASSWORD, "totp_code": app.code()}):
        assert (await client.post(again, json=body, headers=headers)).status_code == 422
    right = await client.post(again, json={"totp_code": app.code()}, headers=headers)
    assert (right.status_code, right.json()["methods"]) == (200, ["pwd", "otp", "mfa"])
    assert (await client.delete(f"{FACTORS}/{app.factor_id}", headers=headers)).status_code == 204
    assert (await sign_in(client)).status_code == 201


async def sign_in_with(client: httpx.AsyncClient, app: App) -> dict[str, str]:
    answer = await answered(client, await asked(client), totp_code=app.next_code())
    found: dict[str, str] = answer.json()
    return found


async def test_rc_03_a_reset_by_mail_does_not_get_around_a_factor(client: httpx.AsyncClient, world: World) -> None:
    """RC-07"""
    _, app = await ada_with_app(client, world)
    await world.work()
    await client.post("/v1/password-resets", json={"email": EMAIL})
    token = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    new = "a louder harbour at noon"
    reset = await client.post("/v1/password-resets/confirm", json={"token": token, "new_password": new})
    assert (reset.status_code, reset.content) == (204, b"")
    first = await sign_in(client, password=new)
    assert first.status_code == 202
    assert (await answered(client, first.json()["challenge_id"], totp_code=app.next_code())).status_code == 201


async def test_an_operator_sees_factors_and_takes_them_away_for_a_reason(
    client: httpx.AsyncClient, world: World
) -> None:
    headers, app = await ada_with_app(client, world)
    await world.work()
    operator = await signed_in(client, "porter@example.com")
    await make_admin(world, "porter@example.com")
    path = f"/v1/admin/users/{(await world.user()).id}/factors"
    listed = await client.get(path, headers=operator)
    assert [item["id"] for item in listed.json()["items"]] == [str(app.factor_id)]
    assert (await client.delete(f"{path}/{app.factor_id}", headers=operator)).status_code == 422
    body = {"reason": "Lost the telephone"}
    assert (await client.request("DELETE", f"{path}/{uuid4()}", json=body, headers=operator)).status_code == 404
    gone = await client.request("DELETE", f"{path}/{app.factor_id}", json=body, headers=operator)
    assert gone.status_code == 204
    assert [mail.kind for mail in await world.work() if mail.recipient.canonical == EMAIL] == [MessageKind.FACTOR_RESET]
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 401
    assert (await sign_in(client)).status_code == 201


class CountingSealer:
    """Counts how often the secret of an app was looked at."""

    def __init__(self, sealer: SecretSealer) -> None:
        self._sealer = sealer
        self.opened = 0

    def seal(self, text: str, *, purpose: str, owner: str) -> str:
        return self._sealer.seal(text, purpose=purpose, owner=owner)

    def open(self, sealed: str, *, purpose: str, owner: str) -> str | None:
        self.opened += purpose == "totp secret"
        return self._sealer.open(sealed, purpose=purpose, owner=owner)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_mf_05_three_hundred_guesses_at_once_are_looked_at_ten_times(
    client: httpx.AsyncClient, app: FastAPI, world: World
) -> None:
    """Fault 17, on the counters of PostgreSQL."""
    sealer = CountingSealer(world.adapters.secret_sealer)
    counting = make_world(replace(world.adapters, secret_sealer=sealer))
    app.state.container = counting.container
    _, telephone = await ada_with_app(client, counting)
    challenges = [await asked(client) for _ in range(30)]
    before, wrong = sealer.opened, telephone.wrong_code()
    answers = await at_once(300, lambda number: answered(client, challenges[number % 30], totp_code=wrong))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429), sealer.opened - before) == (10, 290, 10)
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status_code == 429)


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_mf_03_of_twenty_sign_ins_at_once_with_one_code_one_succeeds(
    client: httpx.AsyncClient, world: World
) -> None:
    """Fault 16 and fault 17."""
    _, app = await ada_with_app(client, world)
    challenges = [await asked(client) for _ in range(9)]
    code = app.next_code()
    answers = await at_once(9, lambda number: answered(client, challenges[number], totp_code=code))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 8]
    challenges = [await asked(client) for _ in range(9)]
    answers = await at_once(9, lambda number: answered(client, challenges[number], recovery_code=app.codes[0]))
    assert sum(answer.status_code == 201 for answer in answers) == 1


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_mf_06_of_nine_right_codes_at_once_one_finishes_the_sign_in(
    client: httpx.AsyncClient, world: World
) -> None:
    _, app = await ada_with_app(client, world)
    challenge_id = await asked(client)
    answers = await at_once(9, lambda number: answered(client, challenge_id, recovery_code=app.codes[number]))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 8]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_mf_10_codes_and_secrets_are_in_no_log_no_entry_no_refusal_and_no_row(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, owner: AsyncEngine
) -> None:
    """MF-01, RC-08"""
    with logging_to(LogFormat.JSON, monkeypatch) as log:
        secrets, refusals = await every_step(client, world)
    shown = written_down(log, refusals) + await all_rows(owner)
    # Not as part of a longer number, such as the fraction of a second.
    assert [secret for secret in secrets if re.search(rf"(?<![\w.]){secret}(?!\w)", shown)] == []


async def every_step(client: httpx.AsyncClient, world: World) -> tuple[set[str], list[str]]:
    """Whatever was shown or typed, and what was answered to what was refused."""
    headers = await signed_in(client)
    await prove_address(world)
    app = await offered(client, world, headers, name="Telephone")
    wrong = app.wrong_code()
    refusals = [(await activated(client, app, headers, wrong)).text]
    app.codes = (await activated(client, app, headers, app.code())).json()["recovery_codes"]
    typed = {wrong, app.code(), app.next_code(), app.codes[0], "7F3K-Q2MX-9RTB-0ABC-1DEF"}
    challenge_id = await asked(client)
    refusals += [(await answered(client, challenge_id, totp_code=wrong)).text]
    refusals += [(await answered(client, challenge_id, recovery_code="7F3K-Q2MX-9RTB-0ABC-1DEF")).text]
    refusals += [(await answered(client, challenge_id, totp_code=app.code(), recovery_code=app.codes[0])).text]
    refusals += [(await answered(client, challenge_id, totp_code=app.code() * 20)).text]
    assert (await answered(client, challenge_id, totp_code=app.code())).status_code == 201
    assert (await answered(client, await asked(client), recovery_code=app.codes[0])).status_code == 201
    await world.work()
    bare = {code[5:].replace("-", "") for code in app.codes}
    return {app.secret.hex(), secret_text(app.secret), *app.codes, *bare, *typed}, refusals


def written_down(log: io.StringIO, refusals: list[str]) -> str:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert any(line["event"] == "factor.refused" for line in lines)
    return log.getvalue() + "".join(refusals)


async def all_rows(owner: AsyncEngine) -> str:
    tables = ("audit_entries", "audit_proofs", "totp_factors", "recovery_codes", "sign_in_challenges", "sessions")
    async with owner.connect() as connection:
        queries = [f"SELECT row_to_json({name})::text FROM {name}" for name in tables]  # noqa: S608  (our own tables)
        rows = [await connection.execute(text(query)) for query in queries]
        return "".join(str(row) for result in rows for row in result)
