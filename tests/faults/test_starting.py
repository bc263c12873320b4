"""Starting while there is no database yet (fault 3)."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.own_server import OwnServer
from tests.e2e.test_service import HALLPORTER, PASSWORD, TOP, environment, processes_of, serving

PERSON = {"email": "ada@example.com", "password": PASSWORD}


def until(condition: Callable[[], bool]) -> None:
    """Return once it holds; the patience of a test is thirty seconds."""
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(condition)


@pytest.fixture
def absent(home: Path) -> str:
    """The URL of a server that does not run yet: `embedded_postgres(home)` starts it."""
    return OwnServer(home, durable=False).url()


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """The service's own home."""
    folder = tmp_path / "service"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_3_a_service_without_a_database_says_so_and_begins_when_it_is_there(
    home: Path, absent: str, service: Path, workers: str
) -> None:
    with (
        serving(service, "--workers", workers, DATABASE_URL=absent) as (address, banner),
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        assert "No PostgreSQL answers at" in banner

        assert client.get("/livez").status_code == 200
        for method, path, code in [
            ("GET", "/readyz", "not_ready"),
            ("GET", "/.well-known/jwks.json", "database_unavailable"),
            ("GET", "/v1/users/me", "database_unavailable"),
            ("POST", "/v1/sessions", "database_unavailable"),
            ("POST", "/v1/users", "database_unavailable"),
        ]:
            refused = client.request(method, path, json=PERSON if method == "POST" else None)
            assert (refused.status_code, refused.json()["code"]) == (503, code), path
            assert int(refused.headers["retry-after"]) > 0
        told = (service / "log").read_text()
        assert "database.awaited" in told
        assert "readiness.missing" in told
        assert told.count("No PostgreSQL answers at") >= 2

        with embedded_postgres(home, durable=False):
            until(lambda: client.get("/readyz").status_code == 200)
            # Several processes find it one after the other.
            until(lambda: client.post("/v1/users", json=PERSON).status_code in {201, 400})
            until(lambda: PERSON["email"] in client.get("/dev/mailbox.json").text)
            until(lambda: all(client.get("/.well-known/jwks.json").status_code == 200 for _ in range(10)))

        # And what was seen of it once stays good.
        assert client.get("/readyz").status_code == 503
        assert client.get("/.well-known/jwks.json").status_code == 200
        assert client.get("/livez").status_code == 200


def started(service: Path, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [HALLPORTER, *arguments],
        cwd=TOP,
        env=environment(service, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_fault_3_what_waiting_does_not_mend_ends_the_process_when_it_is_seen(
    home: Path, absent: str, service: Path, workers: str
) -> None:
    other = absent.replace("@/hallporter?", "@/elsewhere?")
    process = started(service, "serve", "--port", "0", "--workers", workers, DATABASE_URL=other)
    try:
        assert process.stdout is not None
        while "Stop" not in process.stdout.readline():
            assert process.poll() is None
        with embedded_postgres(home, durable=False):
            _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 3
    assert "has no database 'elsewhere'" in told
    assert "Traceback" not in told
    assert processes_of(service) == []


def test_fault_3_a_worker_waits_as_well_and_can_be_told_to_stop_meanwhile(
    home: Path, absent: str, service: Path
) -> None:
    impatient = started(service, "worker", DATABASE_URL=absent)
    patient = started(service, "worker", DATABASE_URL=absent)
    try:
        for process in (impatient, patient):
            assert process.stderr is not None
            assert "database.awaited" in process.stderr.readline()
        impatient.send_signal(signal.SIGTERM)
        impatient.communicate(timeout=30)
        assert impatient.returncode == 0
        with embedded_postgres(home, durable=False):
            assert patient.stdout is not None
            assert "is running" in patient.stdout.readline()
            patient.send_signal(signal.SIGTERM)
            patient.communicate(timeout=30)
        assert patient.returncode == 0
    finally:
        for process in (impatient, patient):
            process.kill()
            process.communicate()
