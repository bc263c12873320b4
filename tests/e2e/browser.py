"""A real browser, with authenticators that are none of anybody's (WebDriver's virtual authenticators, by DevTools)."""

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
from playwright.async_api import Browser, CDPSession, Page, async_playwright

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_MISSING = "chromium is not installed: nothing is known of how we get along with browsers"
# Nothing is asked of anybody elsewhere. Playwright adds a profile that is thrown away, and no sandbox: root has none.
_QUIET = ("--disable-gpu", "--disable-quic", "--disable-sync", "--disable-component-update")


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """The browser of this machine: none is downloaded."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(_MISSING)
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=program, args=_QUIET) as browser,
    ):
        yield browser


class _OnePage(BaseHTTPRequestHandler):
    """Answers whatever is asked with the same page."""

    def __init__(self, page: bytes, *connection: Any) -> None:
        self._page = page
        super().__init__(*connection)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self._page)))
        self.end_headers()
        self.wfile.write(self._page)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: tests say what went wrong."""


@contextmanager
def serving_page(page: str) -> Iterator[int]:
    """The port of a page. At `localhost` it is a secure context, by HTTP as well."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_OnePage, page.encode())) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class VirtualAuthenticator:
    """One that belongs to a page, and does what it is asked without anybody touching it."""

    session: CDPSession
    id: str

    @classmethod
    async def plugged_into(cls, page: Page, *, transport: str = "internal", verifies: bool = True) -> Self:
        """One that page after page in this window has. `verifies` is whether it can tell its holder from others."""
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": transport,
            "hasResidentKey": True,
            "hasUserVerification": verifies,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": True,
        }
        added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(session, added["authenticatorId"])

    async def be_held_by_somebody_else(self) -> None:
        """From now on, do not recognise who holds it."""
        await self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})
