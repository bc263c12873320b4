"""`POST /v1/sessions/refresh`."""

from datetime import timedelta

import httpx
import pytest

from tests.http.conftest import at_once, register, sign_in
from tests.world import World


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/sessions/refresh", json={"refresh_token": token})


async def first_token(client: httpx.AsyncClient) -> str:
    await register(client)
    token: str = (await sign_in(client)).json()["refresh_token"]
    return token


async def test_the_next_tokens_work(client: httpx.AsyncClient) -> None:
    token = await first_token(client)
    answer = await refresh(client, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json()["refresh_token"] != token
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 200
    assert (await refresh(client, answer.json()["refresh_token"])).status_code == 200


async def test_st_07_two_hundred_refreshes_at_once_get_one_answer(client: httpx.AsyncClient) -> None:
    """Fault 15, incidents 2 and 40."""
    token = await first_token(client)
    answers = await at_once(200, lambda _: refresh(client, token))
    assert {answer.status_code for answer in answers} == {200}
    (only,) = {answer.content for answer in answers}
    assert only
    assert (await refresh(client, answers[0].json()["refresh_token"])).status_code == 200


async def test_the_answer_is_repeated_for_ten_seconds_and_then_ends_the_session(
    client: httpx.AsyncClient, world: World
) -> None:
    """ST-07, fault 15."""
    token = await first_token(client)
    first = await refresh(client, token)
    world.clock.advance(timedelta(seconds=9))
    again = await refresh(client, token)
    assert again.json() == first.json() | {"expires_in": 591}
    world.clock.advance(timedelta(seconds=2))
    late = await refresh(client, token)
    assert (late.status_code, late.json()["code"]) == (401, "invalid_refresh_token")
    assert late.headers["www-authenticate"].startswith("Bearer")
    assert (await refresh(client, first.json()["refresh_token"])).status_code == 401
    headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "hp_rt_" + "A" * 43 + "_00000000", "é", "x" * 256])
async def test_what_is_no_refresh_token_is_refused_like_one_that_is_over(client: httpx.AsyncClient, token: str) -> None:
    answer = await refresh(client, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")


async def test_st_11_an_access_token_is_no_refresh_token(client: httpx.AsyncClient) -> None:
    await register(client)
    access_token = (await sign_in(client)).json()["access_token"]
    assert (await refresh(client, access_token)).status_code in {401, 422}
