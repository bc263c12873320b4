"""What the log says, and what it never says."""

import errno
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import structlog
from fastapi import FastAPI

from adapters.http.injection import resolver
from application.users.register_user import RegisterUser
from entrypoints.settings import LogFormat
from entrypoints.telemetry import REDACTED, configure_logging, redact
from tests.http.conftest import register, sign_in, signed_in
from tests.world import EMAIL, PASSWORD, World, token_of


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    with logging_to(LogFormat.JSON, monkeypatch) as written:
        yield written


@contextmanager
def logging_to(log_format: LogFormat, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written, handlers, quiet = io.StringIO(), logging.getLogger().handlers, structlog.get_config()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("DEBUG", log_format)
    # The client of the tests logs its requests; it is no part of the service.
    logging.getLogger("httpx").propagate = False
    yield written
    logging.getLogger("httpx").propagate = True
    logging.getLogger().handlers = handlers
    structlog.configure(**quiet)


def lines(log: io.StringIO, event: str) -> list[dict[str, object]]:
    parsed = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in parsed if line["event"] == event]


async def test_there_is_one_line_for_each_request(client: httpx.AsyncClient, log: io.StringIO) -> None:
    headers = await signed_in(client)
    me = (await client.get("/v1/users/me", headers=headers)).json()
    await client.get("/v1/nowhere/to/be/seen")
    requests = lines(log, "request")
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("POST", "/v1/users", 201),
        ("POST", "/v1/sessions", 201),
        ("GET", "/v1/users/me", 200),
        ("GET", None, 404),
    ]
    assert requests[2]["user_id"] == me["id"]
    assert all(isinstance(line["duration_ms"], float) for line in requests)
    assert len({line["request_id"] for line in requests}) == 4
    assert "nowhere" not in log.getvalue()


async def test_there_is_one_line_for_each_event_with_the_request_it_came_from(
    client: httpx.AsyncClient, log: io.StringIO
) -> None:
    answer = await register(client)
    (event,) = lines(log, "user.registered")
    assert event["user_id"] == answer.json()["id"]
    assert event["request_id"] == answer.headers["x-request-id"]
    await sign_in(client, password="not the password")
    (refused,) = lines(log, "sign_in.refused")
    assert refused["reason"] == "wrong_password"


async def test_a_bug_leaves_its_traceback_in_the_log_once(
    client: httpx.AsyncClient, app: FastAPI, log: io.StringIO
) -> None:
    class Broken:
        async def execute(self, *, password: str, **_: object) -> None:
            message = f"password={password} Bearer {password} postgresql://user:{password}@host/db"
            raise RuntimeError(message)

    app.dependency_overrides[resolver(RegisterUser)] = Broken
    await client.post("/v1/users", json={"email": EMAIL, "password": "hp_rt_canarycanarycanary"})
    (failed,) = lines(log, "request.failed")
    assert "RuntimeError" in str(failed["exception"])
    assert "canary" not in log.getvalue()


async def test_la_03_no_secret_reaches_the_log(client: httpx.AsyncClient, log: io.StringIO, world: World) -> None:
    """ST-13, MF-10."""
    secrets = {PASSWORD, "wrong canary password"}
    await register(client)
    await register(client)
    tokens = (await sign_in(client)).json()
    secrets |= {tokens["access_token"], tokens["refresh_token"]}
    await sign_in(client, password="wrong canary password")
    for token in (tokens["access_token"], f"{tokens['access_token']}x", tokens["refresh_token"]):
        headers = {"Authorization": f"Bearer {token}", "Cookie": "session=canary-cookie"}
        await client.get(f"/v1/users/me?access_token={tokens['access_token']}", headers=headers)
        await client.patch("/v1/users/me", json={"display_name": 7, "password": PASSWORD}, headers=headers)
        await client.delete("/v1/sessions/current", headers=headers)
    await client.post("/v1/password-resets", json={"email": EMAIL})
    for mail in await world.work():
        secrets |= {token_of(mail), token_of(mail)[6:49]} | {
            mail.content[name] for name in {"code"} & set(mail.content)
        }
        body = {"token": token_of(mail), "new_password": "a canary of a password", "password": "wrong canary password"}
        for path in ("/v1/password-resets/confirm", "/v1/email-verifications/confirm", "/v1/email-changes/confirm"):
            await client.post(path, json=body)
            await client.post(f"{path}?token={token_of(mail)}", json={"token": token_of(mail)})
    secrets |= {"a canary of a password", EMAIL}
    assert len(secrets) >= 9
    assert len(lines(log, "request")) >= 20
    for secret in secrets | {"canary-cookie"}:
        assert secret not in log.getvalue()


def test_la_03_what_names_itself_a_secret_or_looks_like_one_is_taken_out() -> None:
    line = redact(
        None,
        "info",
        {
            "event": "password.changed",
            "password": "x",
            "nested": {"refresh_token": "x", "kept": [1, "Bearer abc.def"]},
            "Authorization": "x",
            "text": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and hp_rt_" + "A" * 43,
            "url": "postgresql://ada:pass word@host/db".replace(" ", "-"),
            "count": 3,
            "nothing": None,
        },
    )
    assert line == {
        "event": "password.changed",
        "password": REDACTED,
        "nested": {"refresh_token": REDACTED, "kept": [1, REDACTED]},
        "Authorization": REDACTED,
        "text": f"{REDACTED} and {REDACTED}",
        "url": f"postgresql://{REDACTED}@host/db",
        "count": 3,
        "nothing": None,
    }


def test_la_04_a_value_cannot_begin_a_line_of_its_own() -> None:
    line = redact(None, "info", {"event": "x", "name": "a\r\nb\x1b[31mc", "long": "y" * 100_000})
    assert line["name"] == "a\\r\\nb\\x1b[31mc"
    assert len(line["long"]) == 4_000


def test_lines_for_people_are_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with logging_to(LogFormat.TEXT, monkeypatch) as written:
        structlog.get_logger("test").info("something.happened", user_id="1", password="canary")
        logging.getLogger("a.library").warning("told by %s", "a library")
    first, second = written.getvalue().splitlines()
    assert "something.happened" in first
    assert "canary" not in first
    assert "told by a library" in second


class Full(io.StringIO):
    """A log that nothing fits into any more."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, text)


async def test_fault_32_a_log_that_cannot_be_written_breaks_no_request(
    client: httpx.AsyncClient, log: io.StringIO
) -> None:
    # The one that was configured, among those that look on for the tests.
    handler = next(found for found in logging.getLogger().handlers if type(found) is logging.StreamHandler)
    handler.setStream(Full())
    assert (await register(client)).status_code == 201
    assert (await sign_in(client)).status_code == 201
    handler.setStream(log)
    assert lines(log, "request") == []
