"""Every way in, in every state that shuts it (ST-05, LG-08). A new way in belongs into this table."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from application.upkeep.erase_due_users import EraseDueUsers
from domain.ids import UserId
from domain.messages.message import MessageKind
from tests.http.conftest import register, sign_in
from tests.world import EMAIL, PASSWORD, World, token_of

NEW = "a louder harbour at noon"
ME = "/v1/users/me"

type Way = Callable[[httpx.AsyncClient, dict[str, str], str], Awaitable[httpx.Response]]
type Event = Callable[[httpx.AsyncClient, World, UserId, dict[str, str]], Awaitable[object]]

WAYS: dict[str, Way] = {
    "who am i": lambda client, bearer, _: client.get(ME, headers=bearer),
    "change the profile": lambda client, bearer, _: client.patch(ME, json={"locale": "de"}, headers=bearer),
    "change the password": lambda client, bearer, _: client.put(
        f"{ME}/password", json={"current_password": PASSWORD, "new_password": NEW}, headers=bearer
    ),
    "prove again": lambda client, bearer, _: client.post(
        f"{ME}/reauthentications", json={"password": PASSWORD}, headers=bearer
    ),
    "list sessions": lambda client, bearer, _: client.get("/v1/sessions", headers=bearer),
    "this session": lambda client, bearer, _: client.get("/v1/sessions/current", headers=bearer),
    "end other sessions": lambda client, bearer, _: client.delete("/v1/sessions", headers=bearer),
    "introspect": lambda client, bearer, _: client.post("/v1/tokens/introspect", json={"token": "x"}, headers=bearer),
    "ask to move": lambda client, bearer, _: client.post(
        f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=bearer
    ),
    "take along": lambda client, bearer, _: client.get(f"{ME}/export", headers=bearer),
    "stay after all": lambda client, bearer, _: client.post(f"{ME}/deletion-cancellations", headers=bearer),
    "leave": lambda client, bearer, _: client.request("DELETE", ME, json={}, headers=bearer),
    "refresh": lambda client, _, token: client.post("/v1/sessions/refresh", json={"refresh_token": token}),
}


async def reinstate(world: World, user_id: UserId) -> None:
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.get(user_id)
        user.reinstate(at=world.clock.now())
        await tx.users.save(user)


async def suspended(_client: httpx.AsyncClient, world: World, user_id: UserId, _bearer: dict[str, str]) -> None:
    await world.suspend(user_id)


async def reinstated(client: httpx.AsyncClient, world: World, user_id: UserId, bearer: dict[str, str]) -> None:
    await suspended(client, world, user_id, bearer)
    await reinstate(world, user_id)


async def signed_out(client: httpx.AsyncClient, _world: World, _user_id: UserId, bearer: dict[str, str]) -> None:
    assert (await client.delete("/v1/sessions/current", headers=bearer)).status_code == 204


async def elsewhere(client: httpx.AsyncClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await sign_in(client)).json()['access_token']}"}


async def ended_elsewhere(client: httpx.AsyncClient, _world: World, _user_id: UserId, _bearer: dict[str, str]) -> None:
    assert (await client.delete("/v1/sessions", headers=await elsewhere(client))).status_code == 204


async def password_changed_elsewhere(
    client: httpx.AsyncClient, _world: World, _user_id: UserId, _bearer: dict[str, str]
) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await client.put(f"{ME}/password", json=body, headers=await elsewhere(client))).status_code == 204


async def outlived(_client: httpx.AsyncClient, world: World, _user_id: UserId, _bearer: dict[str, str]) -> None:
    world.clock.advance(timedelta(days=30))


async def password_reset(client: httpx.AsyncClient, world: World, _user_id: UserId, _bearer: dict[str, str]) -> None:
    await world.work()
    await client.post("/v1/password-resets", json={"email": EMAIL})
    token = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    body = {"token": token, "new_password": NEW}
    assert (await client.post("/v1/password-resets/confirm", json=body)).status_code == 204


async def proven_by_the_mailbox(
    client: httpx.AsyncClient, world: World, _user_id: UserId, _bearer: dict[str, str]
) -> None:
    token = token_of(await world.mailed(MessageKind.VERIFY_EMAIL))
    assert (await client.post("/v1/email-verifications/confirm", json={"token": token})).status_code == 200


async def moved_elsewhere(client: httpx.AsyncClient, world: World, _user_id: UserId, _bearer: dict[str, str]) -> None:
    await world.work()
    await client.post(f"{ME}/email-changes", json={"new_email": "ada@example.org"}, headers=await elsewhere(client))
    token = token_of(await world.mailed(MessageKind.CONFIRM_EMAIL_CHANGE))
    assert (await client.post("/v1/email-changes/confirm", json={"token": token})).status_code == 200


async def left_elsewhere(client: httpx.AsyncClient, _world: World, _user_id: UserId, _bearer: dict[str, str]) -> None:
    assert (await client.request("DELETE", ME, json={}, headers=await elsewhere(client))).status_code == 202


async def erased(client: httpx.AsyncClient, world: World, user_id: UserId, bearer: dict[str, str]) -> None:
    await left_elsewhere(client, world, user_id, bearer)
    world.clock.advance(timedelta(days=14))
    assert await world.container.resolve(EraseDueUsers).execute() == 1


STATES: dict[str, Event] = {
    "password reset": password_reset,
    "proven by the mailbox": proven_by_the_mailbox,
    "moved elsewhere": moved_elsewhere,
    "left elsewhere": left_elsewhere,
    "erased": erased,
    "suspended": suspended,
    "suspended and reinstated": reinstated,
    "signed out": signed_out,
    "ended elsewhere": ended_elsewhere,
    "password changed elsewhere": password_changed_elsewhere,
    "outlived": outlived,
}


@pytest.mark.parametrize("state", STATES)
async def test_in_every_state_that_ends_a_session_every_way_in_is_shut(
    client: httpx.AsyncClient, world: World, state: str
) -> None:
    """Incidents 30 and 47."""
    user_id = UserId(await register_user(client))
    tokens = (await sign_in(client)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    await STATES[state](client, world, user_id, bearer)
    answers = {name: await way(client, bearer, tokens["refresh_token"]) for name, way in WAYS.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(WAYS, 401)
    assert {answer.json()["code"] for answer in answers.values()} == {"invalid_access_token", "invalid_refresh_token"}


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_in_is_open_otherwise(client: httpx.AsyncClient, way: str) -> None:
    await register_user(client)
    tokens = (await sign_in(client)).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = await WAYS[way](client, bearer, tokens["refresh_token"])
    assert answer.status_code in {"introspect": {403}, "stay after all": {409}}.get(way, {200, 202, 204})


@pytest.mark.parametrize(("state", "status"), [("suspended", 401), ("suspended and reinstated", 201)])
async def test_the_password_opens_a_new_session_unless_the_user_is_shut_out(
    client: httpx.AsyncClient, world: World, state: str, status: int
) -> None:
    user_id = UserId(await register_user(client))
    await STATES[state](client, world, user_id, {})
    assert (await sign_in(client)).status_code == status


async def register_user(client: httpx.AsyncClient) -> UUID:
    return UUID((await register(client, EMAIL)).json()["id"])
