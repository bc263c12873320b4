"""What the event loop's own thread does not do: nobody else is answered meanwhile (fault 37)."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import argon2
import httpx
import pytest

from adapters.http.app import HttpConfig, create_app
from application.ports.unit_of_work import UnitOfWork
from entrypoints.adapters import open_adapters
from entrypoints.container import build_container
from entrypoints.settings import Settings
from entrypoints.worker import make_worker
from tests.relay import relay

ORIGIN = "https://accounts.example.com"
FIRST, SECOND = "a quiet harbour at dawn", "a louder harbour at noon"
BLOCKING = {
    "open",
    "os.listdir",
    "os.scandir",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "subprocess.Popen",
    "time.sleep",
}
_seen: list[str] | None = None
_loop_thread = 0


def _note(what: str) -> None:
    if _seen is not None and threading.get_ident() == _loop_thread:
        _seen.append(what)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _seen is not None and event in BLOCKING:
        _note(f"{event} {arguments[0]!r}")


@pytest.fixture(scope="module", autouse=True)
def hooked() -> None:
    """For the rest of the process, since there is no way to take it away: it does nothing but where it is asked."""
    sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What this thread does of that, in the block."""
    global _seen, _loop_thread  # noqa: PLW0603  (the hook has no other place to look)
    _seen, _loop_thread = [], threading.get_ident()
    try:
        yield _seen
    finally:
        _seen = None


@pytest.fixture
def noted_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    def noted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            _note(f"argon2 {name}")
            return real(*arguments, **named)

        return call

    for name in ("hash", "verify"):
        monkeypatch.setattr(argon2.PasswordHasher, name, noted(name, getattr(argon2.PasswordHasher, name)))


async def live(client: httpx.AsyncClient, email: str) -> None:
    """As much as people do in a day."""
    person = {"email": email, "password": FIRST}
    assert (await client.post("/v1/users", json=person)).status_code == 201
    assert (await client.post("/v1/sessions", json=person | {"password": SECOND})).status_code == 401
    tokens = (await client.post("/v1/sessions", json=person)).json()
    refreshed = await client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
    me = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
    for path in ("/v1/users/me", "/v1/sessions", "/.well-known/jwks.json", "/readyz", "/livez", "/v1/config"):
        assert (await client.get(path, headers=me)).status_code == 200, path
    renamed = await client.patch("/v1/users/me", json={"display_name": "Ada"}, headers=me)
    assert renamed.status_code == 200
    change = {"current_password": FIRST, "new_password": SECOND}
    assert (await client.put("/v1/users/me/password", json=change, headers=me)).status_code == 204
    assert (await client.post("/v1/password-resets", json={"email": email})).status_code == 202
    assert (await client.delete("/v1/sessions/current", headers=me)).status_code == 204


async def test_fault_37_nobody_hashes_reads_files_or_asks_for_names_on_the_loop(
    postgres_uow: UnitOfWork,
    database: str,
    noted_hashing: None,
) -> None:
    async with relay() as (taken, server):
        settings = Settings(_env_file=None, public_url=ORIGIN, smtp_url=f"smtp://localhost:{server.port}")
        async with open_adapters(settings, database) as adapters:
            container = build_container(settings, adapters)
            app = create_app(container, config=HttpConfig(public_url=ORIGIN, version="test"))
            worker = make_worker(settings, adapters, container)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
                # What is loaded at its first use is loaded.
                await live(client, "first@example.com")
                await worker.drain()
                with watched() as seen:
                    await live(client, "ada@example.com")
                    await worker.drain()
        assert seen == []
        assert "ada@example.com" in str([message["To"] for message in taken.messages()])


def test_what_does_would_be_seen(tmp_path: Path, noted_hashing: None) -> None:
    with watched() as seen:
        (tmp_path / "file").write_text("read me", "utf-8")
        socket.getaddrinfo("127.0.0.1", 80)
        time.sleep(0)
        argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a password")
    # Before Python 3.13 sleeping tells nobody (documentation of `time.sleep`).
    slept = {"time.sleep"} if sys.version_info >= (3, 13) else set[str]()
    assert {what.split()[0] for what in seen} == {"open", "socket.getaddrinfo", "argon2"} | slept
