"""Passkeys in a real browser, against the service as people start it: what no client of our own making can tell."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page

from adapters.http import cookies
from tests.e2e.browser import VirtualAuthenticator, running_browser, serving_page
from tests.e2e.test_service import PASSWORD, TOP, mail_in, serving

# What people copy from there is what runs here.
SCRIPT = "\n".join(
    re.findall(r"^```js\n(.*?)^```", (TOP / "docs" / "passkeys.md").read_text(), re.DOTALL | re.MULTILINE)
)
PAGE = f"<!doctype html><title>Page</title><script>{SCRIPT}</script>"
# Of an error, what a page would go by: the code of a problem, or the name that the browser gives.
RUN = """async ([name, given]) => {
  try { return { answer: await globalThis[name](...given) }; }
  catch (error) { return { error: typeof error.code === "string" ? error.code : error.name }; }
}"""
FACTORS = "/v1/users/me/factors"
PASSKEYS = "/v1/users/me/passkeys"
PROOFS = "/v1/users/me/reauthentications"

type Body = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A service, pages that it knows (`origin`), and pages of somebody else on the same machine."""

    service: str
    origin: str
    foreign: str

    @property
    def own(self) -> str:
        """Where a page is of the service's own origin."""
        return f"{self.service}/page"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(browser: Browser, made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = Path(shutil.copytree(made_home, tmp_path_factory.mktemp("browser") / "home"))
    with serving_page(PAGE) as ours, serving_page(PAGE) as theirs:
        origin = f"http://localhost:{ours}"
        with serving(home, CORS_ORIGINS=origin) as (address, _):
            yield Site(f"http://localhost:{urlsplit(address).port}", origin, f"http://localhost:{theirs}")


@pytest.fixture
async def context(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """A browser that nobody has used."""
    async with await browser.new_context() as context:
        await context.add_init_script(f"globalThis.SERVICE = {site.service!r}")
        yield context


async def opened(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(address)
    return page


async def run(page: Page, function: str, *given: Any) -> Body:
    # A browser asks for a passkey only on the page that one looks at.
    await page.bring_to_front()
    result: Body = await page.evaluate(RUN, [function, given])
    return result


async def answer(page: Page, function: str, *given: Any) -> Any:
    """What a function of the page answers."""
    result = await run(page, function, *given)
    assert "error" not in result, result
    return result["answer"]


async def refusal(page: Page, function: str, *given: Any) -> Any:
    """What a function of the page throws."""
    result = await run(page, function, *given)
    assert "error" in result, result
    return result["error"]


async def tokens_of_proven_user(site: Site, page: Page, email: str) -> str:
    """The access token of somebody new who has signed in by password."""
    person = {"email": email, "password": PASSWORD}
    await answer(page, "call", "POST", "/v1/users", {"body": person})
    link = re.search(r"http\S+/links/verify-email#(\S+)", mail_in(f"{site.service}/dev/mailbox.json", email)["text"])
    assert link is not None
    proof = {"token": link[1], "password": PASSWORD}
    await answer(page, "call", "POST", "/v1/email-verifications/confirm", {"body": proof})
    token: str = (await answer(page, "signIn", email, PASSWORD))["access_token"]
    return token


async def methods(page: Page, tokens: Body) -> list[str]:
    current = await answer(page, "call", "GET", "/v1/sessions/current", {"token": tokens["access_token"]})
    found: list[str] = current["methods"]
    return found


async def test_a_passkey_signs_in_alone_is_a_second_factor_and_a_new_proof(site: Site, context: BrowserContext) -> None:
    page = await opened(context, site.origin)
    await VirtualAuthenticator.plugged_into(page)
    token = await tokens_of_proven_user(site, page, "ada@example.com")
    registered = await answer(page, "registerPasskey", token, "Telephone")
    assert (registered["passkey"]["name"], registered["passkey"]["signs_in_alone"]) == ("Telephone", True)
    assert len(registered["recovery_codes"]) == 10

    assert await methods(page, await answer(page, "signInWithPasskey")) == ["pop", "mfa"]
    assert await methods(page, await answer(page, "signIn", "ada@example.com", PASSWORD)) == ["pwd", "pop", "mfa"]

    before = await answer(page, "call", "GET", "/v1/sessions/current", {"token": token})
    password = {"token": token, "body": {"password": PASSWORD}}
    assert await refusal(page, "call", "POST", PROOFS, password) == "factor_proof_required"
    proven = await answer(page, "proveAgain", token)
    assert proven["methods"] == ["pwd", "pop", "mfa"]
    assert proven["authenticated_at"] > before["authenticated_at"]

    path = f"{PASSKEYS}/{registered['passkey']['id']}"
    assert await answer(page, "call", "DELETE", path, {"token": token}) is None
    # The browser still has it, and the service no longer.
    assert await refusal(page, "signInWithPasskey") == "invalid_passkey"


async def test_pk_05_whom_the_passkey_does_not_recognise_does_not_get_in_by_it_alone(
    site: Site, context: BrowserContext
) -> None:
    page = await opened(context, site.origin)
    authenticator = await VirtualAuthenticator.plugged_into(page)
    await answer(page, "registerPasskey", await tokens_of_proven_user(site, page, "eve@example.com"))
    await authenticator.be_held_by_somebody_else()
    assert await refusal(page, "signInWithPasskey") == "NotAllowedError"
    # Whoever talks the browser out of it is refused by us.
    asked = await answer(page, "call", "POST", "/v1/passkeys/options", {"body": {}})
    asked["options"]["userVerification"] = "discouraged"
    body = {"passkey": await answer(page, "get", asked)}
    assert await refusal(page, "call", "POST", "/v1/passkeys/sessions", {"body": body}) == "invalid_passkey"


async def test_pk_02_a_page_of_another_origin_gets_nowhere(site: Site, context: BrowserContext) -> None:
    page = await opened(context, site.origin)
    await VirtualAuthenticator.plugged_into(page)
    await answer(page, "registerPasskey", await tokens_of_proven_user(site, page, "mallory@example.com"))

    async def asked_for_them() -> Body:
        """What a page that may not call us has somebody else fetch for it."""
        async with httpx.AsyncClient(base_url=site.service) as client:
            asked: Body = (await client.post("/v1/passkeys/options", json={})).json()
            return asked

    async def shown_for_them(passkey: Body) -> httpx.Response:
        async with httpx.AsyncClient(base_url=site.service) as client:
            return await client.post("/v1/passkeys/sessions", json={"passkey": passkey})

    # Another domain: the browser does not let it.
    await page.goto(site.origin.replace("localhost", "127.0.0.1"))
    assert await refusal(page, "signInWithPasskey") == "TypeError"
    assert await refusal(page, "get", await asked_for_them()) == "SecurityError"
    # The same domain at another port: the browser lets it, and we do not.
    await page.goto(site.foreign)
    assert await refusal(page, "signInWithPasskey") == "TypeError"
    refused = await shown_for_them(await answer(page, "get", await asked_for_them()))
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_passkey")
    # It was the origin: nothing else is different here.
    await page.goto(site.origin)
    assert (await shown_for_them(await answer(page, "get", await asked_for_them()))).status_code == 201


async def test_pk_07_a_device_is_registered_once_and_beside_others(site: Site, context: BrowserContext) -> None:
    telephone, key, unlocked = [await opened(context, site.origin) for _ in range(3)]
    await VirtualAuthenticator.plugged_into(telephone)
    await VirtualAuthenticator.plugged_into(key, transport="usb")
    await VirtualAuthenticator.plugged_into(unlocked, verifies=False)
    token = await tokens_of_proven_user(site, telephone, "grace@example.com")
    first = await answer(telephone, "registerPasskey", token, "Telephone")
    assert await refusal(telephone, "registerPasskey", token, "Again") == "InvalidStateError"
    second = await answer(key, "registerPasskey", token, "Key")
    third = await answer(unlocked, "registerPasskey", token, "Tablet without a lock")
    assert [each["passkey"]["signs_in_alone"] for each in (first, second, third)] == [True, True, False]
    assert [len(each["recovery_codes"]) for each in (first, second, third)] == [10, 0, 0]

    assert await refusal(unlocked, "signInWithPasskey") == "NotAllowedError"
    for page in (telephone, key):
        assert await methods(page, await answer(page, "signInWithPasskey")) == ["pop", "mfa"]
    for page in (telephone, key, unlocked):
        signed_in = await answer(page, "signIn", "grace@example.com", PASSWORD)
        assert await methods(page, signed_in) == ["pwd", "pop", "mfa"]

    left = [each["passkey"]["id"] for each in (first, second, third)]
    while left:
        assert await answer(key, "call", "DELETE", f"{PASSKEYS}/{left.pop()}", {"token": token}) is None
        listed = await answer(key, "call", "GET", FACTORS, {"token": token})
        assert sorted(each["id"] for each in listed["items"]) == sorted(left)
    for page in (telephone, key):
        assert await refusal(page, "signInWithPasskey") == "invalid_passkey"
    assert await methods(key, await answer(key, "signIn", "grace@example.com", PASSWORD)) == ["pwd"]


async def test_hd_01_a_page_of_our_own_origin_has_its_session_in_cookies(site: Site, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.route(site.own, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    await page.goto(site.own)
    # As long as any address is answered for, questions of the browser by OPTIONS are as well.
    await page.unroute(site.own)
    await VirtualAuthenticator.plugged_into(page)
    await answer(page, "registerPasskey", await tokens_of_proven_user(site, page, "mary@example.com"))
    tokens = await answer(page, "signInWithPasskey", {"transport": "cookie"})
    assert (tokens["refresh_token"], await page.evaluate("document.cookie")) == (None, "")
    held = {each["name"]: each["httpOnly"] and each["secure"] for each in await context.cookies()}
    assert held == {cookies.REFRESH: True, cookies.DEVICE: True}
    refreshed = await answer(page, "call", "POST", "/v1/sessions/refresh", {"body": {}})
    assert await methods(page, refreshed) == ["pop", "mfa"]
    await page.goto(site.origin)
    assert await refusal(page, "signInWithPasskey", {"transport": "cookie"}) == "cross_site_request"
