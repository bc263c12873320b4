"""AP-04: a request with an `Idempotency-Key` may be sent again, and is done once."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from application.idempotency.finish_request import FinishRequest
from application.users.draft_user import DraftUser
from application.users.register_user import RegisterUser
from domain.messages.message import MessageKind
from domain.users.user import User
from entrypoints.container import build_container
from entrypoints.settings import Registration
from tests.http.conftest import at_once, sign_in, signed_in
from tests.http.test_at_rest import dump
from tests.world import EMAIL, PASSWORD, SETTINGS, World

KEY = "0b5d3b0e-8c1f-4a9e-9d55-1e7a3c2f4b6d"


async def register(
    client: httpx.AsyncClient, key: str | None = KEY, *, email: str = EMAIL, password: str = PASSWORD
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return await client.post("/v1/users", json={"email": email, "password": password}, headers=headers)


def said(answer: httpx.Response) -> tuple[object, ...]:
    kept = ("content-type", "location", "etag", "cache-control")
    return answer.status_code, answer.content, *(answer.headers.get(name) for name in kept)


async def test_the_same_request_again_gets_the_same_answer(client: httpx.AsyncClient, world: World) -> None:
    first = await register(client)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    again = await register(client)
    assert said(again) == said(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert [mail.kind for mail in await world.work()] == [MessageKind.VERIFY_EMAIL]


async def test_another_body_under_the_same_key_is_refused_and_told_nothing(client: httpx.AsyncClient) -> None:
    await register(client)
    for other in (await register(client, email="bob@example.com"), await register(client, password="x" * 20)):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert [error["pointer"] for error in other.json()["errors"]] == ["Idempotency-Key:"]
        assert EMAIL not in other.text


async def test_without_a_key_or_with_another_one_it_is_another_request(client: httpx.AsyncClient) -> None:
    await register(client)
    for key in (None, str(uuid4())):
        answer = await register(client, key)
        assert (answer.status_code, answer.json()["code"]) == (400, "email_already_registered")


async def test_the_key_at_another_route_is_another_key(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    for path in ("/v1/password-resets", "/v1/email-verifications"):
        for replayed in (None, "true", "true"):
            answer = await client.post(path, json={"email": EMAIL}, headers={"Idempotency-Key": KEY})
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (202, replayed)
    kinds = [mail.kind for mail in await world.work()]
    assert sorted(kinds) == [MessageKind.RESET_PASSWORD, MessageKind.VERIFY_EMAIL, MessageKind.VERIFY_EMAIL]


async def test_users_do_not_share_their_keys(client: httpx.AsyncClient, world: World) -> None:
    for name in ("ada", "bob"):
        headers = await signed_in(client, f"{name}@example.com") | {"Idempotency-Key": KEY}
        for replayed in (None, "true"):
            body = {"new_email": f"{name}@example.org"}
            answer = await client.post("/v1/users/me/email-changes", json=body, headers=headers)
            assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (202, replayed)
    asked = [mail for mail in await world.work() if mail.kind is MessageKind.CONFIRM_EMAIL_CHANGE]
    assert sorted(mail.recipient.canonical for mail in asked) == ["ada@example.org", "bob@example.org"]


async def test_an_answer_is_replayed_to_those_alone_who_may_ask(client: httpx.AsyncClient, world: World) -> None:
    headers = await signed_in(client) | {"Idempotency-Key": KEY}
    body = {"new_email": "ada@example.org"}
    assert (await client.post("/v1/users/me/email-changes", json=body, headers=headers)).status_code == 202
    world.clock.advance(timedelta(minutes=10))
    stale = await client.post("/v1/users/me/email-changes", json=body, headers=headers)
    assert stale.json()["code"] in {"reauthentication_required", "invalid_access_token"}
    assert "idempotency-replayed" not in stale.headers


async def test_a_day_later_the_key_is_as_good_as_new(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    world.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert (await register(client)).status_code == 201
    world.clock.advance(timedelta(seconds=1))
    assert (await register(client)).status_code == 400
    assert (await register(client, email="bob@example.com")).status_code == 201


async def test_a_refusal_uses_no_key_up(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        refused = await register(client, password="too short")
        assert (refused.status_code, refused.json()["code"]) == (422, "password_rejected")
        assert "idempotency-replayed" not in refused.headers
    unread = await client.post("/v1/users", json={"nonsense": 1}, headers={"Idempotency-Key": KEY})
    assert unread.status_code == 422
    assert (await register(client)).status_code == 201


async def test_ap_04_of_twenty_at_once_one_is_done(client: httpx.AsyncClient, world: World) -> None:
    answers = await at_once(20, lambda _: register(client))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({said(answer) for answer in done}) == 1
    fresh = [answer for answer in done if "idempotency-replayed" not in answer.headers]
    assert len(fresh) == 1
    others = {(answer.status_code, answer.json()["code"]) for answer in answers if answer not in done}
    assert others <= {(409, "idempotency_in_flight")}
    assert said(await register(client)) == said(fresh[0])
    assert [mail.kind for mail in await world.work()] == [MessageKind.VERIFY_EMAIL]


async def test_one_that_is_being_worked_on_is_not_begun_again(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()
    draft = DraftUser.execute

    async def waiting(self: DraftUser, **fields: object) -> User:
        reached.set()
        await go_on.wait()
        return await draft(self, **fields)  # type: ignore[arg-type]

    monkeypatch.setattr(DraftUser, "execute", waiting)
    first = asyncio.create_task(register(client))
    await reached.wait()
    answer = await register(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
    go_on.set()
    done = said(await first)
    assert said(await register(client)) == done


@pytest.mark.parametrize("registration", [Registration.OPEN, Registration.DISCREET])
async def test_fault_14_whoever_dies_after_the_act_has_done_it_once(
    app: FastAPI,
    client: httpx.AsyncClient,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    registration: Registration,
) -> None:
    app.state.container = build_container(SETTINGS.model_copy(update={"registration": registration}), world.adapters)

    class Killed(BaseException):
        pass

    async def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(FinishRequest, "execute", die)
        with pytest.raises(Killed):
            await register(client)
    assert (await register(client)).json()["code"] == "idempotency_in_flight"
    world.clock.advance(timedelta(seconds=30))
    again = await register(client)
    if registration is Registration.OPEN:
        assert (again.status_code, again.json()["id"]) == (201, str((await world.user()).id))
        assert again.headers["location"] == "/v1/users/me"
    else:
        assert (again.status_code, again.content) == (202, b"")
    assert said(await register(client)) == said(again)
    assert [mail.kind for mail in await world.work()] == [MessageKind.VERIFY_EMAIL]


async def test_fault_14_whoever_dies_before_the_act_has_done_nothing(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(RegisterUser, "execute", die)
        dying.setattr(FinishRequest, "execute", die)
        with pytest.raises(Killed):
            await register(client)
    world.clock.advance(timedelta(seconds=30))
    assert (await register(client)).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x7f", "ä"])
async def test_a_key_that_is_none_is_said_to_be_none(client: httpx.AsyncClient, key: str) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    answer = await client.post("/v1/users", json=body, headers=[(b"Idempotency-Key", key.encode())])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["Idempotency-Key:"]


async def test_two_keys_are_one_too_many(client: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await client.post("/v1/users", json={"email": EMAIL, "password": PASSWORD}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_where_no_key_is_taken_none_is_kept(client: httpx.AsyncClient) -> None:
    await register(client)
    body = {"email": EMAIL, "password": PASSWORD}
    answers = [await client.post("/v1/sessions", json=body, headers={"Idempotency-Key": KEY}) for _ in range(2)]
    assert len({answer.json()["session_id"] for answer in answers}) == 2
    assert not [answer for answer in answers if "idempotency-replayed" in answer.headers]


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
async def test_nothing_of_request_or_answer_is_readable_at_rest(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    await register(client)
    (row,) = await dump(engine, ["idempotent_requests"])
    for secret in (EMAIL, PASSWORD, KEY, "location"):
        assert secret not in row
    assert (await sign_in(client)).status_code == 201
