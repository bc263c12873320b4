"""Every flow from the request to the mailbox and back, through a real SMTP conversation and through the page of the
development mailbox."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Protocol

import httpx
import pytest
from fastapi import FastAPI

from adapters.http.app import HttpConfig, create_app
from adapters.mail.mailbox_mailer import MailboxMailer
from adapters.mail.smtp import SmtpMailer
from adapters.mail.templates import Templates
from entrypoints.settings import Registration
from entrypoints.worker import make_worker
from tests.http.conftest import ORIGIN
from tests.relay import Relay, relay
from tests.world import PASSWORD, SETTINGS, World, make_world, memory_adapters

ADA, NEW_ADA = "ada@example.com", "ada@example.org"
FIRST, SECOND, THIRD = PASSWORD, "a louder harbour at noon", "no harbour at all by night"
ME = "/v1/users/me"
TEMPLATES = Templates(service="accounts.example.com")


@dataclass(frozen=True)
class Received:
    """A mail as a person has it before them."""

    to: str
    subject: str
    link: str
    code: str


class Postbox(Protocol):
    async def newest(self) -> list[Received]:
        """What came since one looked last, oldest first."""
        ...


class Inbox:
    """What a relay took, told from the bytes on the wire."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._seen = 0

    async def newest(self) -> list[Received]:
        messages, self._seen = self._relay.messages()[self._seen :], len(self._relay.taken)
        return [_read(message) for message in messages]


def _read(message: EmailMessage) -> Received:
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    link = _link(page.get_content())
    assert link in text.get_content()
    return Received(str(message["To"]), message["Subject"], link, _code(text.get_content()))


class MailboxPage:
    """What `/dev/mailbox` shows."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._seen: set[str] = set()

    async def newest(self) -> list[Received]:
        found = []
        page = (await self._client.get("/dev/mailbox")).text
        for row in reversed(re.findall(r"<tr>(<td>.*?)</tr>", page)):
            to, address, subject = re.findall(r'<td>(.*?)</td><td><a href="(.*?)">(.*?)</a>', row)[0]
            if address not in self._seen:
                self._seen.add(address)
                shown, framed = await self._client.get(address), await self._client.get(f"{address}/html")
                found.append(Received(to, html.unescape(subject), _link(framed.text), _code(shown.text)))
        return found


def _link(page: str) -> str:
    links = re.findall(r'href="([^"]*)"', page)
    return html.unescape(links[0]) if links else ""


def _code(text: str) -> str:
    codes = re.findall(r"^ +(\d{8})\s*$", text, re.MULTILINE)
    return codes[0] if codes else ""


@dataclass
class House:
    """The service, its callers, and their mailboxes."""

    world: World
    client: httpx.AsyncClient
    postbox: Postbox

    async def mail(self) -> list[Received]:
        await make_worker(self.world.settings, self.world.adapters, self.world.container).drain()
        return await self.postbox.newest()

    async def answer(self, mail: Received, **fields: str) -> httpx.Response:
        """Follow the link, and press the button."""
        page = await self.client.get(mail.link)
        (action,) = re.findall(r'<form action="([^"]*)"', page.text)
        return await self.client.post(action, json={"token": mail.link.partition("#")[2]} | fields)

    async def sign_in(self, email: str, password: str, agent: str = "tests") -> dict[str, str]:
        body = {"email": email, "password": password}
        answer = await self.client.post("/v1/sessions", json=body, headers={"User-Agent": agent})
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture(scope="module")
def app_with_mailbox() -> FastAPI:
    return create_app(config=HttpConfig(public_url=ORIGIN, version="test", mailbox=True))


@pytest.fixture(params=["smtp", "mailbox"])
async def house(request: pytest.FixtureRequest, app_with_mailbox: FastAPI) -> AsyncIterator[House]:
    adapters = memory_adapters()
    settings = SETTINGS.model_copy(update={"registration": Registration.DISCREET})
    transport = httpx.ASGITransport(app_with_mailbox)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client, relay() as (taking, server):
        if request.param == "smtp":
            mailer: SmtpMailer | MailboxMailer = SmtpMailer(
                server, sender="no-reply@accounts.example.com", templates=TEMPLATES
            )
            postbox: Postbox = Inbox(taking)
        else:
            mailer = MailboxMailer(adapters.mailbox, templates=TEMPLATES, clock=adapters.clock)
            postbox = MailboxPage(client)
        world = make_world(replace(adapters, mailer=mailer), settings)
        app_with_mailbox.state.container = world.container
        yield House(world, client, postbox)


async def test_every_flow_ends_where_it_should(house: House) -> None:
    client = house.client
    seen: list[str] = []

    async def arrived(*recipients: str) -> list[Received]:
        mails = await house.mail()
        seen.extend(mail.subject for mail in mails)
        assert sorted(mail.to for mail in mails) == sorted(recipients)
        return mails

    # Registering; proving the address with the password beside the link; registering again.
    person = {"email": ADA, "password": FIRST}
    registered = await client.post("/v1/users", json=person)
    assert (registered.status_code, registered.content) == (202, b"")
    (verification,) = await arrived(ADA)
    assert len(verification.code) == 8
    assert (await house.answer(verification, password=FIRST)).json()["email_verified"] is True
    assert (await client.post("/v1/users", json=person)).status_code == 202
    await arrived(ADA)

    # Signing in from something new, and changing the password.
    await house.sign_in(ADA, FIRST)
    bearer = await house.sign_in(ADA, FIRST, agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")
    await arrived(ADA)
    changed = {"current_password": FIRST, "new_password": SECOND}
    assert (await client.put(f"{ME}/password", json=changed, headers=bearer)).status_code == 204
    await arrived(ADA)

    # Forgetting it.
    assert (await client.post("/v1/password-resets", json={"email": ADA})).status_code == 202
    (reset,) = await arrived(ADA)
    assert (await house.answer(reset, new_password=THIRD)).status_code == 204
    await arrived(ADA)

    # A key that is used again after its successor's successor was made, on a device of yet another kind.
    first = (await client.post("/v1/sessions", json={"email": ADA, "password": THIRD})).json()["refresh_token"]
    token = first
    for _ in range(2):
        refreshed = await client.post("/v1/sessions/refresh", json={"refresh_token": token})
        token = refreshed.json()["refresh_token"]
    assert (await client.post("/v1/sessions/refresh", json={"refresh_token": first})).status_code == 401
    await arrived(ADA, ADA)

    # Moving, and being taken back.
    bearer = await house.sign_in(ADA, THIRD)
    await client.post(f"{ME}/email-changes", json={"new_email": NEW_ADA}, headers=bearer)
    confirm, revert = sorted(await arrived(ADA, NEW_ADA), key=lambda mail: mail.to, reverse=True)
    assert (await house.answer(confirm)).json()["email"] == NEW_ADA
    await arrived(ADA)
    assert (await house.answer(revert)).status_code == 204
    (choose,) = await arrived(ADA)
    assert (await house.answer(choose, new_password=FIRST)).status_code == 204
    await arrived(ADA)

    # Leaving.
    bearer = await house.sign_in(ADA, FIRST)
    assert (await client.request("DELETE", ME, json={}, headers=bearer)).status_code == 202
    await arrived(ADA)
    assert len(set(seen)) == 11, "each kind has a subject of its own, and all have been sent"
