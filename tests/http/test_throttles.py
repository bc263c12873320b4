"""How much is too much, as callers meet it (LG-04, LG-05, LG-07, DA-01)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.crypto.argon2_hasher import Argon2PasswordHasher
from adapters.http.app import HttpConfig, create_app
from application.ports.password_hasher import HashingBusy
from domain.messages.message import MessageKind
from domain.throttling.throttle import Limit
from domain.users.password import Password, PasswordHash
from entrypoints.container import build_container
from tests.factors import prove_address
from tests.http.apps import enrolled
from tests.http.conftest import ORIGIN, at_once, register, sign_in, signed_in
from tests.statements import statements_to
from tests.world import DEFAULTS, EMAIL, PASSWORD, World, token_of

WRONG = "not the password at all"


@pytest.fixture(autouse=True)
def limited(app: FastAPI, world: World) -> None:
    """With the limits that everybody has who sets none."""
    app.state.container = build_container(DEFAULTS, world.adapters)


async def guess(client: httpx.AsyncClient, email: str = EMAIL, **headers: str) -> httpx.Response:
    return await client.post("/v1/sessions", json={"email": email, "password": WRONG}, headers=headers)


async def test_a_network_is_told_what_it_has_left(client: httpx.AsyncClient) -> None:
    for left in range(29, -1, -1):
        answer = await guess(client, f"nobody{left}@example.com")
        assert answer.status_code == 401
        assert answer.headers["ratelimit-policy"] == '"credentials";q=30;w=60'
        assert answer.headers["ratelimit"] == f'"credentials";r={left};t={60 - 2 * left}'
    answer = await guess(client)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert answer.headers["retry-after"] == "2"
    assert answer.headers["ratelimit"] == '"credentials";r=0;t=2'
    assert "cache-control" in answer.headers


async def test_what_is_free_says_nothing_of_limits(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    for answer in (await client.get("/v1/users/me", headers=headers), await client.get("/v1/config")):
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_success_costs_nothing(client: httpx.AsyncClient) -> None:
    await register(client)
    for _ in range(35):
        assert (await sign_in(client)).headers["ratelimit"].startswith('"credentials";r=29')


async def test_what_we_have_no_time_for_costs_nothing(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> bool:
        raise HashingBusy

    with monkeypatch.context() as patched:
        patched.setattr(type(world.adapters.passwords), "matches", busy)
        assert {(await guess(client)).status_code for _ in range(35)} == {503}
    assert (await guess(client)).headers["ratelimit"].startswith('"credentials";r=29')


async def test_lg_07_own_success_does_not_refill_what_guesses_used(client: httpx.AsyncClient) -> None:
    """Incident 49."""
    await register(client)
    statuses = []
    for number in range(32):
        statuses.append((await guess(client, f"nobody{number}@example.com")).status_code)
        await sign_in(client)
    assert statuses == [401] * 30 + [429] * 2


async def test_a_refusal_of_one_user_looks_the_same_for_everybody(client: httpx.AsyncClient) -> None:
    await register(client)
    seen = set()
    for email in (EMAIL, "nobody@example.com"):
        answer = [await guess(client, email) for _ in range(6)][-1]
        body = {name: value for name, value in answer.json().items() if name not in {"instance", "reference"}}
        seen.add((answer.status_code, str(body), answer.headers["retry-after"]))
        # That of the user is shown to nobody: this is the network's.
        assert answer.headers["ratelimit-policy"] == '"credentials";q=30;w=60'
    assert len(seen) == 1
    assert {status for status, _, _ in seen} == {429}


REQUESTS: dict[str, tuple[int, Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]]] = {
    "registration": (20, lambda client, number: register(client, f"user{number}@example.com")),
    "reset": (20, lambda client, number: client.post("/v1/password-resets", json={"email": f"u{number}@example.com"})),
    "verification": (
        20,
        lambda client, number: client.post("/v1/email-verifications", json={"email": f"u{number}@example.com"}),
    ),
    "mailed token": (30, lambda client, number: client.post("/v1/email-changes/confirm", json={"token": str(number)})),
    "unreadable": (30, lambda client, _: client.post("/v1/email-changes/confirm", content=b"{")),
}


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", REQUESTS)
async def test_da_01_every_kind_of_request_that_strangers_can_make_has_an_end(
    client: httpx.AsyncClient, name: str
) -> None:
    """RC-09."""
    count, request = REQUESTS[name]
    statuses = [(await request(client, number)).status_code for number in range(count + 2)]
    assert 429 not in statuses[:count]
    assert statuses[count:] == [429, 429]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_limits_are_what_the_settings_say(app: FastAPI, client: httpx.AsyncClient, world: World) -> None:
    few = Limit(3, timedelta(hours=1))
    settings = DEFAULTS.model_copy(update={"limit_refreshes": few, "limit_all_registrations": few})
    app.state.container = build_container(settings, world.adapters)
    await register(client)
    token = (await sign_in(client)).json()["refresh_token"]
    for sent, statuses in ((token, [200] * 5), ("none", [401] * 3 + [429] * 2), (token, [429])):
        body = {"refresh_token": sent}
        assert [(await client.post("/v1/sessions/refresh", json=body)).status_code for _ in statuses] == statuses
    found = [(await register(client, f"user{number}@example.com")).status_code for number in range(4)]
    assert found == [201, 201, 429, 429]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_rc_09_mail_for_everybody_together_has_an_end(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    few = DEFAULTS.model_copy(update={"limit_all_mails": Limit(3, timedelta(hours=1))})
    app.state.container = build_container(few, world.adapters)
    asked = [await client.post("/v1/password-resets", json={"email": f"u{n}@example.com"}) for n in range(4)]
    assert [answer.status_code for answer in asked] == [202, 202, 202, 429]


async def test_lg_04_of_100_guesses_at_once_exactly_the_budget_is_hashed(
    app: FastAPI, client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plenty = DEFAULTS.model_copy(update={"limit_credentials": Limit(1000, timedelta(minutes=1))})
    app.state.container = build_container(plenty, world.adapters)
    await register(client)
    compared: list[object] = []
    matches = type(world.adapters.passwords).matches

    async def counted(self: Argon2PasswordHasher, password: Password, hashed: PasswordHash | None, **how: Any) -> bool:
        compared.append(password)
        return await matches(self, password, hashed, **how)

    monkeypatch.setattr(type(world.adapters.passwords), "matches", counted)
    answers = await at_once(100, lambda _: guess(client))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429), len(compared)) == (5, 95, 5)
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 429)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_lg_06_nobody_at_the_same_network_uses_up_what_a_known_device_or_a_session_has(
    client: httpx.AsyncClient,
) -> None:
    await register(client)
    tokens = (await sign_in(client)).json()
    for number in range(40):
        await guess(client, f"u{number}@example.com")
    body = {"email": EMAIL, "password": PASSWORD}
    assert (await client.post("/v1/sessions", json=body)).status_code == 429
    known = await client.post("/v1/sessions", json=body | {"device_token": tokens["device_token"]})
    assert known.status_code == 201
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    proof = await client.post("/v1/users/me/reauthentications", json={"password": PASSWORD}, headers=bearer)
    assert proof.status_code == 200
    # A token that is none opens no side door, and neither does one beside a wrong password more than its own.
    assert (await client.post("/v1/sessions", json=body | {"device_token": "hp_dv_x"})).status_code == 429
    wrong = body | {"password": WRONG, "device_token": tokens["device_token"]}
    statuses = [(await client.post("/v1/sessions", json=wrong)).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


async def test_lg_06_nor_what_a_known_device_needs_for_the_second_step(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    await prove_address(world)
    app = await enrolled(client, world, headers)
    body = {"email": EMAIL, "password": PASSWORD}

    async def begun(**more: str) -> str:
        answer = await client.post("/v1/sessions", json=body | more)
        assert answer.status_code == 202
        return f"/v1/sessions/challenges/{answer.json()['challenge_id']}"

    tokens = (await client.post(await begun(), json={"recovery_code": app.codes[0]})).json()
    of_a_stranger = await begun()
    for number in range(40):
        await guess(client, f"u{number}@example.com")
    of_the_device = await begun(device_token=tokens["device_token"])
    for path in (of_a_stranger, f"/v1/sessions/challenges/{uuid4()}"):
        waiting = await client.post(path, json={"recovery_code": app.codes[1]})
        assert (waiting.status_code, waiting.json()["code"]) == (429, "too_many_attempts")
    wrong = await client.post(of_the_device, json={"totp_code": app.wrong_code()})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_factor")
    assert (await client.post(of_the_device, json={"recovery_code": app.codes[1]})).status_code == 201


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_lg_03_whoever_has_to_wait_learns_nothing_from_what_it_takes_to_say_so(
    client: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    """Refusals are free: whatever differed could be measured as often as one likes."""
    await register(client)
    of_eve = await register(client, "eve@example.com")
    assert of_eve.status_code == 201
    token = (await sign_in(client, "eve@example.com")).json()["device_token"]
    for number in range(31):
        await guess(client, f"u{number}@example.com")
    costs = {}
    for email in (EMAIL, "nobody@example.com"):
        for device_token in (None, "nonsense", token):
            body = {"email": email, "password": WRONG, "device_token": device_token}
            with statements_to(engine) as statements:
                assert (await client.post("/v1/sessions", json=body)).status_code == 429
                await asyncio.sleep(0)
            costs[email, device_token] = len(statements)
    assert [costs[EMAIL, token_] for token_ in (None, "nonsense", token)] == [1, 1, 2]
    assert [costs["nobody@example.com", token_] for token_ in (None, "nonsense", token)] == [1, 1, 2]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_what_is_refused_for_its_form_or_its_caller_uses_up_nothing_of_everybodys(
    app: FastAPI, client: httpx.AsyncClient, world: World
) -> None:
    two = Limit(2, timedelta(hours=1))
    settings = DEFAULTS.model_copy(update={"limit_all_mails": two, "limit_all_registrations": two})
    app.state.container = build_container(settings, world.adapters)
    for path in ("/v1/users/me/email-changes", "/v1/password-resets", "/v1/users"):
        for content in (b"x", b"{}", b"{"):
            assert (await client.post(path, content=content)).status_code in {400, 401, 415}
        assert (await client.post(path, json={"email": "no address"})).status_code in {401, 422}
    for path in ("/v1/password-resets", "/v1/email-verifications"):
        assert (await client.post(path, json={"email": EMAIL})).status_code == 202
    assert (await client.post("/v1/password-resets", json={"email": EMAIL})).status_code == 429
    found = [(await register(client, f"user{number}@example.com")).status_code for number in range(3)]
    assert found == [201, 201, 429]


async def test_whoever_resets_the_password_is_known_at_the_sign_in_that_follows(
    client: httpx.AsyncClient, world: World
) -> None:
    await register(client)
    await world.work()
    await client.post("/v1/password-resets", json={"email": EMAIL})
    body = {"token": token_of(await world.mailed(MessageKind.RESET_PASSWORD)), "new_password": "a louder harbour"}
    reset = await client.post("/v1/password-resets/confirm", json=body, headers={"Sec-Fetch-Site": "same-origin"})
    assert (reset.status_code, reset.headers["cache-control"]) == (204, "no-store")
    assert reset.headers["set-cookie"].startswith("__Host-hallporter_device=hp_dv_")
    for _ in range(6):
        await guess(client)
    sent = {"email": EMAIL, "password": "a louder harbour"}
    assert (await client.post("/v1/sessions", json=sent)).status_code == 429
    known = sent | {"device_token": reset.headers["device-token"]}
    assert (await client.post("/v1/sessions", json=known)).status_code == 201


@pytest.fixture
async def proxied(world: World) -> AsyncIterator[Any]:
    """Somebody who calls through two proxies of ours, and says what they like in front of those."""
    app = create_app(
        build_container(DEFAULTS, world.adapters),
        config=HttpConfig(public_url=ORIGIN, version="test", trusted_proxies=2),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        yield client


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"])
async def test_lg_05_nobody_gets_further_by_saying_where_they_are(client: httpx.AsyncClient, name: str) -> None:
    """Incident 49."""
    statuses = [
        (await guess(client, f"u{number}@example.com", **{name: f"198.51.100.{number}"})).status_code
        for number in range(31)
    ]
    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_lg_05_our_own_proxies_are_believed_and_nobody_in_front_of_them(
    proxied: httpx.AsyncClient, world: World
) -> None:
    statuses = [
        (
            await guess(proxied, f"u{n}@example.com", **{"X-Forwarded-For": f"10.0.0.{n}, 192.0.2.7, 10.1.1.1"})
        ).status_code
        for n in range(31)
    ]
    assert statuses == [401] * 30 + [429]
    other = {"X-Forwarded-For": "192.0.2.7, 198.51.100.9, 10.1.1.1"}
    assert (await guess(proxied, **other)).status_code == 401
    await register(proxied)
    assert (await proxied.post("/v1/sessions", json={"email": EMAIL, "password": PASSWORD}, headers=other)).is_success
    (session,) = await _sessions(world)
    assert session == "198.51.100.9"


async def _sessions(world: World) -> list[str | None]:
    user = await world.user()
    async with world.unit_of_work.read() as tx:
        return [session.device.network_address for session in await tx.sessions.all_of(user.id)]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize(
    "told",
    ["", "1.2.3.{n}", "nonsense, 10.1.1.1", "{n}, 10.1.1.1", "1.2.3.{n}.5, 10.1.1.1", ",,,", "unknown, 10.1.1.{n}"],
)
async def test_incident_19_proxies_that_say_nothing_of_use_open_no_way_around(
    proxied: httpx.AsyncClient, told: str
) -> None:
    statuses = [
        (await guess(proxied, f"u{n}@example.com", **{"X-Forwarded-For": told.format(n=n)})).status_code
        for n in range(31)
    ]
    assert statuses == [401] * 30 + [429]


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("2001:db8::{n}, 10.1.1.1", 429),
        ("[2001:db8::{n}]:4711, 10.1.1.1", 429),
        ("::ffff:192.0.2.7, 10.1.1.1", 429),
        ("192.0.2.7:{n}, 10.1.1.1", 429),
        ("2001:db8:0:{n}::1, 10.1.1.1", 401),
        ("2001:db8:{n}::1, 10.1.1.1", 401),
    ],
)
async def test_lg_05_an_ipv6_network_counts_as_one_caller(proxied: httpx.AsyncClient, told: str, status: int) -> None:
    answers = [
        await guess(proxied, f"u{number}@example.com", **{"X-Forwarded-For": told.format(n=number + 1)})
        for number in range(31)
    ]
    assert answers[-1].status_code == status


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_lg_05_the_networks_of_one_ipv6_customer_have_an_end_together(
    app: FastAPI, proxied: httpx.AsyncClient, world: World
) -> None:
    few = DEFAULTS.model_copy(update={"limit_credentials": Limit(2, timedelta(hours=1))})
    proxied._transport.app.state.container = build_container(few, world.adapters)  # type: ignore[attr-defined] # noqa: SLF001
    statuses = [
        (await guess(proxied, f"u{n}@example.com", **{"X-Forwarded-For": f"2001:db8:7:{n}::1, 10.1.1.1"})).status_code
        for n in range(34)
    ]
    assert statuses == [401] * 32 + [429] * 2


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_fault_43_without_counters_doors_stay_shut_and_reads_go_on(
    client: httpx.AsyncClient, owner: AsyncEngine
) -> None:
    headers = await signed_in(client)
    token = (await sign_in(client)).json()["refresh_token"]
    async with owner.connect() as connection:
        await connection.execute(text("ALTER TABLE throttles RENAME TO gone"))
        try:
            refused = [await sign_in(client), await register(client, "bob@example.com"), await guess(client)]
            served = [
                await client.get("/v1/users/me", headers=headers),
                await client.post("/v1/sessions/refresh", json={"refresh_token": token}),
                await client.get("/.well-known/jwks.json"),
            ]
        finally:
            await connection.execute(text("ALTER TABLE gone RENAME TO throttles"))
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "throttles_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert [answer.status_code for answer in served] == [200] * 3
    assert (await sign_in(client)).status_code == 201
