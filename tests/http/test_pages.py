"""Pages for people: where links lead, and the mailbox of development."""

import base64
import hashlib
import html
import json
import re
import tomllib
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from adapters.http import pages
from adapters.http.app import HttpConfig, create_app
from application.ports.mailbox import ReceivedMail
from domain.ids import MessageId
from domain.messages.message import MessageKind
from tests.http.conftest import ORIGIN, register, sign_in
from tests.world import EMAIL, PASSWORD, SETTINGS, World, token_of

NAMES = [
    "verify-email",
    "reset-password",
    "accept-invitation",
    "confirm-email-change",
    "revert-email-change",
    "forgot-password",
]


def form_of(page: httpx.Response) -> dict[str, str]:
    """The attributes of the page's form."""
    (form,) = re.findall(r"<form ([^>]*)>", page.text)
    return {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', form)}


async def press(client: httpx.AsyncClient, page: httpx.Response, link: str, **fields: str) -> httpx.Response:
    """What the page's script does when its button is pressed."""
    form = form_of(page)
    assert form["method"] == "post"
    token = {"token": link.partition("#")[2]} if form["data-token"] == "yes" else {}
    return await client.post(form["action"], json=token | fields)


async def test_rc_06_looking_ten_times_changes_nothing_and_the_button_works(
    client: httpx.AsyncClient, world: World
) -> None:
    await register(client)
    link = (await world.mailed(MessageKind.VERIFY_EMAIL)).content["link"]
    looks = [await client.get(link) for _ in range(10)]
    assert {page.status_code for page in looks} == {200}
    assert not (await world.user()).email_verified
    assert (await press(client, looks[0], link, password=PASSWORD)).status_code == 200
    assert (await world.user()).email_verified


async def test_somebody_without_a_link_gets_one_and_back_in(client: httpx.AsyncClient, world: World) -> None:
    await register(client)
    await world.work()
    page = await client.get((await client.get("/.well-known/change-password")).headers["location"])
    assert (await press(client, page, "", email=EMAIL)).status_code == 202
    link = (await world.mailed(MessageKind.RESET_PASSWORD)).content["link"]
    answer = await press(client, await client.get(link), link, new_password="a louder harbour at noon")
    assert answer.status_code == 204
    assert (await sign_in(client, password="a louder harbour at noon")).status_code == 201


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_a_page_lets_nothing_in_and_nothing_out(client: httpx.AsyncClient, name: str) -> None:
    """RC-06."""
    page = await client.get(f"/links/{name}")
    policy = page.headers["content-security-policy"]
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r'(?:src|href)="', page.text)


@pytest.mark.parametrize("name", ["", "nonsense", "../v1/users/me", "%00", "verify-email%2f"])
@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_there_are_no_other_pages(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/links/{name}")).status_code in {401, 404}


@pytest.mark.parametrize(
    ("wishes", "lang"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("fr,en;q=0.5,de;q=0.7", "de"),
        ("de;q=0,en;q=0.1", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("de;q=nonsense, en", "en"),
        (";;;,,,\x7f", "en"),
        ("x" * 9000, "en"),
    ],
)
@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_pages_speak_the_language_that_the_browser_asks_for(
    client: httpx.AsyncClient, wishes: str, lang: str
) -> None:
    page = await client.get("/links/verify-email", headers={"Accept-Language": wishes})
    assert f'<html lang="{lang}">' in page.text


def test_every_language_says_everything() -> None:
    folder = Path(pages.__file__).parent
    english, *others = [tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"))][::-1]
    assert set(english) == {"noscript", "errors", *NAMES}
    for other in others:
        assert set(other) == set(english)
        assert set(english["errors"]) <= set(other["errors"])
        for name in NAMES:
            assert set(other[name]) == set(english[name])


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_what_goes_wrong_is_said_in_words_of_the_page(client: httpx.AsyncClient) -> None:
    page = await client.get("/links/reset-password", headers={"Accept-Language": "de"})
    errors = json.loads(form_of(page)["data-errors"])
    refused = await press(client, page, "#nonsense", new_password=PASSWORD)
    assert "Link" in errors[refused.json()["code"]]


@pytest.fixture
def with_mailbox(world: World) -> FastAPI:
    hosts = SETTINGS.effective_allowed_hosts
    config = HttpConfig(public_url=ORIGIN, version="test", mailbox=True, allowed_hosts=hosts)
    return create_app(world.container, config=config)


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_the_mailbox_shows_mail_as_people_see_it_and_runs_nothing_of_it(
    with_mailbox: FastAPI, world: World
) -> None:
    """IN-06."""
    mail = ReceivedMail(
        id=MessageId(UUID(int=7)),
        recipient="<script>alert(1)</script>@example.com",
        subject="</title><script>alert(2)</script>",
        text="</pre><script>alert(3)</script>",
        html='<html><head></head><body><a href="https://accounts.example.com/links/x#t">go</a></body></html>',
        received_at=world.clock.now(),
    )
    await world.adapters.mailbox.put(mail)
    transport = httpx.ASGITransport(with_mailbox)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        shown = [await client.get("/dev/mailbox"), await client.get(f"/dev/mailbox/{mail.id}")]
        framed = await client.get(f"/dev/mailbox/{mail.id}/html")
        for_programs = await client.get("/dev/mailbox.json")
        missing = await client.get(f"/dev/mailbox/{UUID(int=8)}")
    for page in shown:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown[1].text
    assert '<base target="_blank">' in framed.text
    assert "script-src" not in framed.headers["content-security-policy"]
    assert framed.headers["x-frame-options"] == "SAMEORIGIN", "it stands in a frame of our own page"
    assert for_programs.json()["items"][0]["text"] == mail.text
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("accounts.example.com", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example:80", 400),
        ("", 400),
    ],
)
@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_the_mailbox_is_shown_under_its_own_name_alone(with_mailbox: FastAPI, host: str, status: int) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_mailbox), base_url=ORIGIN) as client:
        for path in ("/dev/mailbox", "/dev/mailbox.json"):
            assert (await client.get(path, headers={"Host": host})).status_code == status


@pytest.mark.parametrize("path", ["/dev/mailbox", "/dev/mailbox.json", f"/dev/mailbox/{UUID(int=7)}"])
@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_where_there_is_an_smtp_server_there_is_no_mailbox(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_link_is_a_page_and_a_token_that_no_server_sees(client: httpx.AsyncClient, world: World) -> None:
    """ST-13."""
    await register(client)
    mail = await world.mailed(MessageKind.VERIFY_EMAIL)
    page = await client.get(mail.content["link"])
    assert token_of(mail) not in str(page.request.url.copy_with(fragment=None))
    assert token_of(mail) not in page.text


HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize(
    "path", ["/links/verify-email", f"/links/{HOSTILE}", "/problems/invalid_token", f"/problems/{HOSTILE}"]
)
async def test_incident_35_no_page_shows_what_stands_in_its_address(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, params={"error": HOSTILE, "token": HOSTILE}, headers={"Accept-Language": HOSTILE})
    assert answer.status_code == (404 if HOSTILE in path else 200)
    assert "alert(1)" not in answer.text


def test_lg_06_the_page_lets_the_browser_keep_what_it_is_given() -> None:
    """The cookie by which a device is known after a reset: with `omit` browsers throw it away."""
    assert 'credentials: "same-origin"' in (Path(pages.__path__[0]) / "link.js").read_text()
