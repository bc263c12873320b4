"""Operators see outgoing mail and signing keys, and help them on."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from domain.messages.message import MessageState
from tests.http.conftest import make_admin, register, sign_in, signed_in
from tests.world import EMAIL, World

PORTER = "porter@example.com"
MESSAGES = "/v1/admin/messages"
KEYS = "/v1/admin/signing-keys"


@pytest.fixture
async def porter(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """The headers of an operator."""
    headers = await signed_in(client, PORTER)
    await make_admin(world, PORTER)
    await world.work()
    return headers


async def again(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of the operator, who signs in again."""
    return {"Authorization": f"Bearer {(await sign_in(client, PORTER)).json()['access_token']}"}


async def die(world: World, message_id: str, *, good_for: timedelta | None) -> None:
    """Let a message be refused for good."""
    async with world.unit_of_work.begin() as tx:
        (message,) = [one for one in await tx.messages.page(limit=100) if str(one.id) == message_id]
        message.sealed_content = message.sealed_content or "{}"
        message.good_until = world.clock.now() + good_for if good_for is not None else None
        message.refused("550 no such mailbox", at=world.clock.now())
        await tx.messages.save(message)


async def test_mail_is_listed_newest_first_without_what_it_says(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    for number in range(3):
        world.clock.advance(timedelta(seconds=1))
        await register(client, f"user{number}@example.com")
        await world.work()
    first = await client.get(MESSAGES, params={"limit": "2"}, headers=porter)
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-store")
    cursor = first.json()["next_cursor"]
    rest = (await client.get(MESSAGES, params={"limit": "2", "cursor": cursor}, headers=porter)).json()
    listed = [*first.json()["items"], *rest["items"]]
    assert [mail["recipient"] for mail in listed] == [*(f"user{n}@example.com" for n in (2, 1, 0)), PORTER]
    assert (rest["next_cursor"], {mail["state"] for mail in listed}) == (None, {"sent"})
    assert "content" not in str(listed)
    none = await client.get(MESSAGES, params={"state": "dead"}, headers=porter)
    assert none.json() == {"items": [], "next_cursor": None}
    other = await client.get(MESSAGES, params={"state": "sent", "cursor": cursor}, headers=porter)
    assert (other.status_code, other.json()["code"]) == (422, "invalid_cursor")
    assert (await client.get(MESSAGES, params={"state": "lost"}, headers=porter)).status_code == 422


async def test_what_died_is_tried_again_from_the_start(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    user_id = (await register(client)).json()["id"]
    (mail,) = await world.work()
    await die(world, str(mail.id), good_for=timedelta(days=9))
    # Longer than anything is tried by itself.
    world.clock.advance(timedelta(days=4))
    porter = await again(client)
    (dead,) = (await client.get(MESSAGES, params={"state": "dead"}, headers=porter)).json()["items"]
    assert (dead["user_id"], dead["last_error"]) == (user_id, "550 no such mailbox")
    key = porter | {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        assert (await client.post(f"{MESSAGES}/{dead['id']}/retries", headers=key)).status_code == 202
    async with world.unit_of_work.read() as tx:
        entry = (await tx.audit.of_user((await world.user()).id, limit=1))[0]
    operator = str((await world.user(PORTER)).id)
    assert (entry.event, entry.details) == (
        "message.retried",
        {"message_id": dead["id"], "kind": "verify_email", "by": operator},
    )
    await world.work()
    async with world.unit_of_work.read() as tx:
        (message,) = [one for one in await tx.messages.page(limit=100) if str(one.id) == dead["id"]]
    assert (message.state is not MessageState.DEAD) or message.last_error != "550 no such mailbox"


async def test_what_is_sent_or_has_expired_is_not_sent_again(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    await register(client)
    (mail,) = await world.work()
    path = f"{MESSAGES}/{mail.id}/retries"
    sent = await client.post(path, headers=porter)
    assert (sent.status_code, sent.json()["code"]) == (409, "message_not_dead")
    await die(world, str(mail.id), good_for=timedelta(0))
    expired = await client.post(path, headers=porter)
    assert (expired.status_code, expired.json()["code"]) == (409, "message_expired")
    absent = await client.post(f"{MESSAGES}/{uuid4()}/retries", headers=porter)
    assert (absent.status_code, absent.json()["code"]) == (404, "message_not_found")


async def test_sk_03_keys_are_rotated_with_overlap_and_never_shown(
    client: httpx.AsyncClient, world: World, porter: dict[str, str]
) -> None:
    young = await client.post(KEYS, headers=porter)
    assert (young.status_code, young.json()["code"]) == (409, "next_signing_key_too_young")
    world.clock.advance(timedelta(minutes=11))
    ada = await signed_in(client, EMAIL)
    porter = await again(client)
    before = (await client.get(KEYS, headers=porter)).json()["items"]
    assert sorted(key["state"] for key in before) == ["active", "next"]
    keyed = porter | {"Idempotency-Key": str(uuid4())}
    rotated, replayed = [await client.post(KEYS, headers=keyed) for _ in range(2)]
    assert (rotated.status_code, replayed.status_code) == (201, 201)
    assert rotated.json() == replayed.json()
    upcoming = next(key["id"] for key in before if key["state"] == "next")
    assert (rotated.json()["id"], rotated.json()["state"]) == (upcoming, "active")
    after = await client.get(KEYS, headers=porter)
    assert sorted(key["state"] for key in after.json()["items"]) == ["active", "next", "retiring"]
    assert after.json()["items"][0].keys() == {"id", "algorithm", "state", "created_at", "state_since"}
    # Whoever has a token of the key of before goes on.
    assert (await client.get("/v1/users/me", headers=ada)).status_code == 200
