"""`/v1/sessions`."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from application.ports.password_hasher import HashingBusy, PlaceInQueue
from application.ports.user_search import UserFilter, UserOrder
from tests.http.conftest import at_once, register, sign_in, signed_in
from tests.http.test_enumeration import unreferred
from tests.statements import statements_to
from tests.world import EMAIL, PASSWORD, World


async def test_a_person_signs_in(client: httpx.AsyncClient) -> None:
    await register(client)
    answer = await sign_in(client, EMAIL.upper())
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "refresh_token", "session_id", "device_token"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert body["refresh_token"].startswith("hp_rt_")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["location"] == "/v1/sessions/current"


async def test_lg_01_every_refusal_is_the_same_to_the_byte(client: httpx.AsyncClient, world: World) -> None:
    for name in ("ada", "bob", "eve"):
        await register(client, f"{name}@example.com")
    async with world.unit_of_work.begin() as tx:
        for user in (await tx.users.page(only=UserFilter(), order=UserOrder.NEWEST, after=None, limit=10)).items:
            if user.email.local_part == "bob":
                user.suspend(reason="spam", at=world.clock.now())
            if user.email.local_part == "eve":
                user.password_hash = None
            await tx.users.save(user)

    request_id = "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"
    answers = set()
    for email, password in [
        ("ada@example.com", "not the password"),
        ("bob@example.com", PASSWORD),
        ("eve@example.com", PASSWORD),
        ("eve@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("nobody", PASSWORD),
        ("ada@example.com", "x" * 1000),
    ]:
        answer = await client.post(
            "/v1/sessions", json={"email": email, "password": password}, headers={"X-Request-Id": request_id}
        )
        # The network's own count goes down with every request.
        headers = {name: value for name, value in answer.headers.items() if name != "ratelimit"}
        answers.add((answer.status_code, unreferred(answer), tuple(sorted(headers.items()))))
    ((status, body, _),) = answers
    assert status == 401
    assert "invalid_credentials" in body


async def test_a_session_shows_what_it_is(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    answer = await client.get("/v1/sessions/current", headers=headers | {"User-Agent": "ignored here"})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["current"], body["methods"], body["network_address"]) == (True, ["pwd"], "127.0.0.1")
    assert body["user_agent"].startswith("python-httpx/")
    assert body["device"] == "python-httpx"
    unchanged = await client.get("/v1/sessions/current", headers=headers | {"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304


@pytest.mark.parametrize("agent", [b"\xff\xfe", b"x" * 5000, b"", b"a\tb"])
async def test_an_odd_user_agent_is_no_obstacle(client: httpx.AsyncClient, agent: bytes) -> None:
    await register(client)
    answer = await client.post(
        "/v1/sessions", json={"email": EMAIL, "password": PASSWORD}, headers=[(b"User-Agent", agent)]
    )
    assert answer.status_code == 201


async def test_st_03_whoever_signs_out_is_out_everywhere_at_once(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    answer = await client.delete("/v1/sessions/current", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    for method, url in [
        ("GET", "/v1/users/me"),
        ("PATCH", "/v1/users/me"),
        ("GET", "/v1/sessions/current"),
        ("DELETE", "/v1/sessions/current"),
    ]:
        refused = await client.request(method, url, headers=headers, json={} if method == "PATCH" else None)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_access_token")


async def test_signing_out_twice_at_once_is_no_accident(client: httpx.AsyncClient) -> None:
    headers = await signed_in(client)
    answers = await at_once(20, lambda _: client.delete("/v1/sessions/current", headers=headers))
    codes = {answer.status_code for answer in answers}
    assert 204 in codes
    assert codes <= {204, 401}


async def test_st_04_a_session_does_not_outlive_its_time(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client)
    world.clock.advance(timedelta(minutes=10))
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 401


async def test_one_session_does_not_open_another_ones_door(client: httpx.AsyncClient) -> None:
    first = await signed_in(client)
    second = {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}
    await client.delete("/v1/sessions/current", headers=first)
    assert (await client.get("/v1/users/me", headers=second)).status_code == 200


async def test_pw_09_who_finds_no_place_to_be_hashed_is_told_so_and_nothing_else_waits(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await signed_in(client)

    async def busy(*_: object, **__: object) -> bool:
        raise HashingBusy

    monkeypatch.setattr(world.adapters.passwords, "matches", busy)
    refused = await sign_in(client)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "hashing_busy", "1")
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 200


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_pw_09_whoever_finds_no_place_in_the_queue_is_told_so_before_anything_is_asked_of_the_database(
    client: httpx.AsyncClient, world: World, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> AbstractAsyncContextManager[PlaceInQueue]:
        raise HashingBusy

    await register(client)
    monkeypatch.setattr(type(world.adapters.passwords), "reserve", full)
    with statements_to(engine) as statements:
        refused = await sign_in(client)
        await asyncio.sleep(0)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "hashing_busy", "1")
    assert statements == []
