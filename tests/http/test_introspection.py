"""`POST /v1/tokens/introspect`."""

import httpx
import pytest

from application.users.create_user import CreateUser
from domain.users.roles import ADMIN
from tests.http.conftest import register, sign_in
from tests.world import PASSWORD, World


async def bearer(client: httpx.AsyncClient, email: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await sign_in(client, email)).json()['access_token']}"}


@pytest.fixture
async def admin(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    await world.container.resolve(CreateUser).execute(
        email="porter@example.com", password=PASSWORD, roles=frozenset({ADMIN})
    )
    return await bearer(client, "porter@example.com")


async def introspect(client: httpx.AsyncClient, headers: dict[str, str], token: str) -> httpx.Response:
    return await client.post("/v1/tokens/introspect", json={"token": token}, headers=headers)


async def test_a_live_token_is_described(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    registered = (await register(client)).json()
    tokens = (await sign_in(client)).json()
    answer = await introspect(client, admin, tokens["access_token"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert (body["active"], body["sub"], body["sid"]) == (True, registered["id"], tokens["session_id"])
    assert (body["exp"] - body["iat"], body["amr"], body["roles"]) == (600, ["pwd"], [])
    assert (await introspect(client, admin, admin["Authorization"][7:])).json()["roles"] == ["admin"]


async def test_op_12_of_a_token_that_is_not_live_nothing_is_said(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """ST-03: not of one that was signed out either."""
    await register(client)
    tokens = (await sign_in(client)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    await client.delete("/v1/sessions/current", headers=headers)
    for token in (tokens["access_token"], tokens["refresh_token"], "", "x", "a.b.c", "x" * 16_000):
        answer = await introspect(client, admin, token)
        assert (answer.status_code, answer.json()) == (200, {"active": False})


async def test_others_may_not_ask(client: httpx.AsyncClient) -> None:
    await register(client)
    mine = await bearer(client, "ada@example.com")
    answer = await introspect(client, mine, mine["Authorization"][7:])
    assert (answer.status_code, answer.json()["code"]) == (403, "admin_required")
    assert (await introspect(client, {}, "x")).status_code == 401
