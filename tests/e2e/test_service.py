"""The service as people start it: real processes, real sockets, a database of their own."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from entrypoints.settings import Settings
from entrypoints.startup import started

TOP = Path(__file__).parents[2]
HALLPORTER = Path(sys.executable).with_name("hallporter")
PASSWORD = "a quiet harbour at dawn"
# Settings of whoever runs the tests, and what would make each start compile everything anew.
LEFT_OUT = {"DATABASE_URL", "SECRET_KEY", "ENVIRONMENT", "PUBLIC_URL", "SMTP_URL", "WORKER", "PYTHONDONTWRITEBYTECODE"}


def environment(home: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return inherited | {"HALLPORTER_HOME": str(home)} | settings


def run(home: Path, *arguments: str, typed: str = "", **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [HALLPORTER, *arguments],
        check=False,
        cwd=TOP,
        env=environment(home, **settings),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def serving(
    home: Path, *arguments: str, stop: signal.Signals = signal.SIGINT, **settings: str
) -> Iterator[tuple[str, str]]:
    """A running service: its address, and what it printed."""
    with (home / "log").open("a") as log:
        process = subprocess.Popen(
            [HALLPORTER, "serve", "--port", "0", *arguments],
            cwd=TOP,
            env=environment(home, **settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        banner = ""
        while "Stop" not in banner:
            line = process.stdout.readline()
            assert line, (home / "log").read_text()
            banner += line
        address = re.search(r"http://[\w.:]+", banner)
        assert address is not None
        yield address[0], banner
        process.send_signal(stop)
        process.communicate(timeout=30)
        assert process.returncode == 0, (home / "log").read_text()
    finally:
        process.kill()
        process.communicate()


def processes_of(home: Path) -> list[str]:
    """Everything that still runs on this home: the database's command line names it, ours has it as a variable."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(home) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(command)
    return found


def memory_of_service(home: Path) -> int:
    """Resident bytes of the process that serves."""
    (server,) = (
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "serve" in (process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("HALLPORTER_HOME") == str(home)
    )
    resident: int = server.memory_info().rss
    return resident


def expect_little_memory(home: Path) -> None:
    """What a password hash took is given back once nobody has signed in for a second."""
    patience = 500
    while (resident := memory_of_service(home)) >= 150 * 1024 * 1024 and patience > 0:
        patience -= 1
        time.sleep(0.02)
    assert resident < 150 * 1024 * 1024


def mail_in(mailbox: str, recipient: str = "ada@example.com") -> dict[str, str]:
    """The one mail to somebody in the mailbox of development, once it is there."""
    for _ in range(1500):
        items: list[dict[str, str]] = httpx.get(mailbox, timeout=30).json()["items"]
        mails = [mail for mail in items if mail["recipient"] == recipient]
        if mails:
            (mail,) = mails
            return mail
        time.sleep(0.02)
    raise AssertionError(mailbox)


def test_from_the_first_start_to_the_last_sign_out(tmp_path: Path) -> None:
    """AP-06: no answer names the server. Fault 36: it ends well under either signal."""
    with serving(tmp_path) as (address, banner), httpx.Client(base_url=address, timeout=30) as client:
        assert f"{address}/v1" in banner
        assert f"{address}/docs" in banner
        assert str(tmp_path) in banner
        person = {"email": "ada@example.com", "password": PASSWORD}

        registered = client.post("/v1/users", json=person)
        assert registered.status_code == 201
        again = client.post("/v1/users", json=person)
        assert (again.status_code, again.json()["code"]) == (400, "email_already_registered")
        assert again.json()["title"] == "Email already registered"
        assert client.get(again.json()["type"]).status_code == 200

        mail = mail_in(f"{address}/dev/mailbox.json")
        link = re.search(r"http\S+/links/verify-email#\S+", mail["text"])
        assert link is not None
        assert link[0].startswith(address)
        assert client.get(link[0]).status_code == 200
        proof = {"token": link[0].partition("#")[2], "password": PASSWORD}
        verified = client.post("/v1/email-verifications/confirm", json=proof)
        assert verified.json()["email_verified"] is True

        tokens = client.post("/v1/sessions", json=person).json()
        me = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/v1/users/me", headers=me).json() == verified.json()
        with closing(HTTPConnection(urlsplit(address).netloc)) as plain:  # ten times as fast as a real client
            for _ in range(1000):
                plain.request("GET", "/v1/users/me", headers=me)
                with plain.getresponse() as answer:
                    assert answer.status == 200
                    answer.read()
        expect_little_memory(tmp_path)
        assert client.get("/docs").status_code == 200
        assert client.get("/readyz").json() == {"status": "ok"}

        assert client.delete("/v1/sessions/current", headers=me).status_code == 204
        refused = client.get("/v1/users/me", headers=me)
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_access_token")
        assert "server" not in refused.headers
    assert processes_of(tmp_path) == []
    log = (tmp_path / "log").read_text()
    assert PASSWORD not in log
    assert tokens["access_token"] not in log

    # Everything is there again, in several processes and under the other way to stop.
    with serving(tmp_path, "--workers", "2", stop=signal.SIGTERM) as (address, _):
        tokens = httpx.post(f"{address}/v1/sessions", json=person, timeout=30).json()
        me = {"Authorization": f"Bearer {tokens['access_token']}"}
        for _ in range(10):
            assert httpx.get(f"{address}/v1/users/me", headers=me).json()["email"] == "ada@example.com"
    assert processes_of(tmp_path) == []


def test_the_same_app_runs_under_uvicorn_and_beside_other_commands(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "entrypoints.api:app", "--port", "0"],
        cwd=TOP,
        env=environment(home),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        started = ""
        while "running on" not in started:
            started = process.stderr.readline()
            assert started
        address = re.search(r"http://[\w.:]+", started)
        assert address is not None
        assert httpx.get(f"{address[0]}/readyz").json() == {"status": "ok"}
        created = run(home, "users", "create", "ada@example.com", typed=f"{PASSWORD}\n")
        assert created.returncode == 0, created.stderr
        signed_in = httpx.post(
            f"{address[0]}/v1/sessions", json={"email": "ada@example.com", "password": PASSWORD}, timeout=30
        )
        assert signed_in.status_code == 201
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert processes_of(home) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ([], {"ENVIRONMENT": "production", "SECRET_KEY": "canary"}, "PUBLIC_URL is missing"),
        (["--host", "192.0.2.1"], {}, "an address of this machine with --host"),
    ],
)
def test_a_service_that_cannot_start_says_why_in_a_sentence(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], said: str
) -> None:
    failed = run(tmp_path, "serve", *arguments, **settings)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "canary" not in failed.stderr


def test_another_root_key_is_noticed_at_the_start(home: Path) -> None:
    """Fault 28."""

    async def start() -> None:
        async with started(Settings(_env_file=None, hallporter_home=home)):
            pass

    asyncio.run(start())
    other = run(home, "serve", "--port", "0", SECRET_KEY="T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa")
    assert other.returncode == 3
    assert "SECRET_KEY is not the key" in other.stderr
    assert "Traceback" not in other.stderr
    assert processes_of(home) == []


def test_st_07_two_processes_give_one_answer_and_forget_nothing_when_killed(home: Path) -> None:
    """Incident 3."""
    person = {"email": "ada@example.com", "password": PASSWORD}

    async def refresh_at_once(address: str, token: str, count: int) -> set[bytes]:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            requests = (client.post("/v1/sessions/refresh", json={"refresh_token": token}) for _ in range(count))
            answers = await asyncio.gather(*requests)
        assert {answer.status_code for answer in answers} == {200}
        return {json.dumps(answer.json() | {"expires_in": 0}).encode() for answer in answers}

    with pytest.raises(AssertionError), serving(home, "--workers", "2", stop=signal.SIGKILL) as (address, _):  # noqa: PT012
        httpx.post(f"{address}/v1/users", json=person, timeout=30)
        first = httpx.post(f"{address}/v1/sessions", json=person, timeout=30).json()["refresh_token"]
        (second,) = asyncio.run(refresh_at_once(address, first, 200))
        (third,) = asyncio.run(refresh_at_once(address, json.loads(second)["refresh_token"], 20))
    with serving(home, "--no-worker") as (address, _):
        # Nobody sends mail but those whose work it is; what a killed process left behind among it.
        httpx.post(f"{address}/v1/users", json=person | {"email": "bob@example.com"}, timeout=30)
        before = len(httpx.get(f"{address}/dev/mailbox.json", timeout=30).json()["items"])
        worker = subprocess.Popen([HALLPORTER, "worker"], cwd=TOP, env=environment(home), stdout=subprocess.PIPE)
        try:
            recipients: list[str] = []
            while "bob@example.com" not in recipients:
                items = httpx.get(f"{address}/dev/mailbox.json", timeout=30).json()["items"]
                recipients = [item["recipient"] for item in items]
                assert worker.poll() is None
                time.sleep(0.02)
        finally:
            worker.terminate()
            worker.communicate(timeout=30)
        assert worker.returncode == 0
        assert len(recipients) > before
        for token in (first, json.loads(third)["refresh_token"]):
            refused = httpx.post(f"{address}/v1/sessions/refresh", json={"refresh_token": token}, timeout=30)
            assert (refused.status_code, refused.json()["code"]) == (401, "invalid_refresh_token")
    assert processes_of(home) == []
