"""The refresh token in a cookie (HD-01, HD-02)."""

from http.cookies import SimpleCookie

import httpx
import pytest

from adapters.http.cookies import DEVICE, REFRESH
from tests.http.conftest import ORIGIN, register
from tests.world import EMAIL, PASSWORD

OURS = {"Sec-Fetch-Site": "same-origin"}
FOREIGN = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    {"Origin": "null"},
    {"Origin": "https://evil.example.com"},
    {"Origin": f"{ORIGIN}.evil.example.com"},
    {"Origin": ORIGIN.replace("https", "http")},
    {"Origin": f"{ORIGIN}:444"},
    {"Referer": ORIGIN},
]


async def sign_in(client: httpx.AsyncClient, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {"email": EMAIL, "password": PASSWORD, "transport": "cookie"}
    return await client.post("/v1/sessions", json=body, headers=OURS if headers is None else headers)


def header_of(answer: httpx.Response, name: str) -> str:
    (header,) = [header for header in answer.headers.get_list("set-cookie") if header.startswith(f"{name}=")]
    return header


def cookie_of(answer: httpx.Response, name: str = REFRESH) -> str:
    return SimpleCookie(header_of(answer, name))[name].value


async def refresh(
    client: httpx.AsyncClient, cookie: str | None, headers: dict[str, str] | None = None
) -> httpx.Response:
    client.cookies.clear()
    sent = {"Cookie": f"{REFRESH}={cookie}"} if cookie is not None else {}
    return await client.post("/v1/sessions/refresh", json={}, headers=(OURS if headers is None else headers) | sent)


async def test_hd_01_the_token_is_in_a_cookie_that_no_script_and_no_other_site_can_use(
    client: httpx.AsyncClient,
) -> None:
    await register(client)
    answer = await sign_in(client)
    assert answer.status_code == 201
    assert answer.json()["refresh_token"] is None
    assert answer.json()["device_token"] is None
    for name, prefix, seconds in ((REFRESH, "hp_rt_", 2_592_000), (DEVICE, "hp_dv_", 34_560_000)):
        header = header_of(answer, name)
        attributes = {part.strip().lower() for part in header.split(";")[1:]}
        assert attributes == {"path=/", "secure", "httponly", "samesite=lax", f"max-age={seconds}"}
        assert cookie_of(answer, name).startswith(prefix)
        assert cookie_of(answer, name) not in answer.text
        assert len(header) < 4096


async def test_the_cookie_is_exchanged_for_the_next(client: httpx.AsyncClient) -> None:
    await register(client)
    first = cookie_of(await sign_in(client))
    answer = await refresh(client, first)
    assert (answer.status_code, answer.json()["refresh_token"]) == (200, None)
    second = cookie_of(answer)
    assert second != first
    assert cookie_of(await refresh(client, first)) == second
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await client.get("/v1/users/me", headers=headers)).status_code == 200
    assert (await refresh(client, second, {"Origin": ORIGIN})).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN, ids=range(len(FOREIGN)))
async def test_hd_02_other_pages_cannot_make_a_browser_use_it(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """Incident 46: nor to sign somebody in."""
    await register(client)
    cookie = cookie_of(await sign_in(client))
    for refused in (await refresh(client, cookie, headers), await sign_in(client, headers)):
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_request")
        assert "set-cookie" not in refused.headers
    assert (await refresh(client, cookie)).status_code == 200


@pytest.mark.parametrize("cookie", [None, "", "x", "hp_rt_" + "A" * 43 + "_00000000"])
async def test_without_a_good_cookie_nothing_is_refreshed(client: httpx.AsyncClient, cookie: str | None) -> None:
    answer = await refresh(client, cookie)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")


async def test_signing_out_takes_the_cookie_away(client: httpx.AsyncClient) -> None:
    await register(client)
    answer = await sign_in(client)
    cookie, token = cookie_of(answer), answer.json()["access_token"]
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"{REFRESH}={cookie}"}
    gone = await client.delete("/v1/sessions/current", headers=headers)
    assert gone.status_code == 204
    assert f'{REFRESH}=""' in gone.headers["set-cookie"]
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert (await refresh(client, cookie)).status_code == 401


async def test_a_cookie_opens_nothing_but_refreshing(client: httpx.AsyncClient) -> None:
    await register(client)
    cookie = cookie_of(await sign_in(client))
    client.cookies.clear()
    for method, url in (("GET", "/v1/users/me"), ("DELETE", "/v1/sessions/current"), ("GET", "/v1/sessions")):
        answer = await client.request(method, url, headers=OURS | {"Cookie": f"{REFRESH}={cookie}"})
        assert answer.status_code == 401


async def test_lg_06_a_browser_is_known_by_its_cookie_after_signing_out(client: httpx.AsyncClient) -> None:
    await register(client)
    answer = await sign_in(client)
    device = {"Cookie": f"{DEVICE}={cookie_of(answer, DEVICE)}"}
    client.cookies.clear()
    gone = await client.delete(
        "/v1/sessions/current", headers=device | {"Authorization": f"Bearer {answer.json()['access_token']}"}
    )
    assert "set-cookie" not in gone.headers
    wrong = {"email": EMAIL, "password": "not the password at all"}
    statuses = [(await client.post("/v1/sessions", json=wrong)).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert (await sign_in(client)).status_code == 429
    client.cookies.clear()
    assert (await sign_in(client, OURS | device)).status_code == 201


async def test_whoever_asks_for_no_cookie_gets_none(client: httpx.AsyncClient) -> None:
    await register(client)
    answer = await client.post("/v1/sessions", json={"email": EMAIL, "password": PASSWORD})
    assert "set-cookie" not in answer.headers
    assert answer.json()["refresh_token"].startswith("hp_rt_")
    body = {"email": EMAIL, "password": PASSWORD, "transport": "pigeon"}
    assert (await client.post("/v1/sessions", json=body)).status_code == 422


def session_of(answer: httpx.Response) -> str:
    assert answer.is_success
    return str(answer.json()["session_id"])


async def test_st_02_incident_5_a_cookie_that_was_planted_becomes_nobodys_session(client: httpx.AsyncClient) -> None:
    """Incident 6: nor does one that somebody else has left behind."""
    await register(client)
    await register(client, "eve@example.com")
    body = {"email": "eve@example.com", "password": PASSWORD, "transport": "cookie"}
    eves = await client.post("/v1/sessions", json=body, headers=OURS)
    client.cookies.clear()
    planted = OURS | {"Cookie": f"{REFRESH}={cookie_of(eves)}; sid={session_of(eves)}"}
    adas = await sign_in(client, planted)
    assert session_of(adas) != session_of(eves)
    assert cookie_of(adas) != cookie_of(eves)
    for session, email in ((eves, "eve@example.com"), (adas, EMAIL)):
        refreshed = await refresh(client, cookie_of(session))
        assert session_of(refreshed) == session_of(session)
        bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
        assert (await client.get("/v1/users/me", headers=bearer)).json()["email"] == email


async def test_incident_25_an_id_opens_nothing(client: httpx.AsyncClient) -> None:
    user_id = (await register(client)).json()["id"]
    session_id = session_of(await sign_in(client))
    client.cookies.clear()
    for known in (user_id, session_id):
        assert (await refresh(client, known)).status_code == 401
        assert (await client.post("/v1/sessions/refresh", json={"refresh_token": known})).status_code == 401
        assert (await client.get("/v1/users/me", headers={"Authorization": f"Bearer {known}"})).status_code == 401
