"""The service has little memory left (fault 33).

With next to none it ends, for libraries written in Rust know nothing else, or the system kills it. What becomes of that
is told by `kills.py`.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from application.users.register_user import RegisterUser
from entrypoints.settings import Settings
from entrypoints.startup import started
from tests.e2e.test_service import PASSWORD, mail_in, processes_of, serving
from tests.faults.invariants import half_written
from tests.faults.processes import SETTINGS
from tests.faults.test_stopping import server_of
from tests.little_memory import little_memory

PERSON = {"email": "ada@example.com", "password": PASSWORD}
NEW = [{"email": f"bob{number}@example.com", "password": PASSWORD} for number in range(10)]
A_MEGABYTE = 1024 * 1024

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone bounds the memory of a process that runs")


async def register(url: str) -> None:
    settings = Settings(_env_file=None, database_url=SecretStr(url), secret_key=SecretStr(SETTINGS["SECRET_KEY"]))
    async with started(settings) as service:
        await service.container.resolve(RegisterUser).execute(email=PERSON["email"], password=PERSON["password"])


def ask_at_once(address: str, path: str, bodies: Sequence[Any]) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:
            return await asyncio.gather(*(client.post(path, json=body) for body in bodies))

    return asyncio.run(ask())


def told(answers: Sequence[httpx.Response]) -> set[tuple[int, str | None]]:
    """Status and code of each, which is a problem unless it went well, and says when to come back."""
    for answer in answers:
        if not answer.is_success:
            assert answer.headers["content-type"] == "application/problem+json"
            assert ("retry-after" in answer.headers) == (answer.status_code == 503)
            assert "Traceback" not in answer.text
    return {(answer.status_code, answer.json().get("code")) for answer in answers}


async def found_half_written(url: str) -> list[str]:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await half_written(connection)
    await engine.dispose()
    return found


# A thread takes 8 MB and a hash 19 MB: there is enough for neither, or for the thread alone.
@pytest.mark.parametrize("megabytes", [6, 14])
def test_fault_33_without_memory_people_are_told_to_come_back_and_find_everything_as_it_was(
    new_database: str, tmp_path: Path, megabytes: int
) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != "PUBLIC_URL"}
    # Elsewhere, so that the service has hashed nothing yet, and has no memory from that which is free.
    asyncio.run(register(new_database))
    with serving(tmp_path, stop=signal.SIGTERM, DATABASE_URL=new_database, **settings) as (address, _):
        assert httpx.get(f"{address}/readyz", timeout=30).status_code == 200
        with little_memory(server_of(tmp_path), spare=megabytes * A_MEGABYTE):
            signed_in = ask_at_once(address, "/v1/sessions", [PERSON] * 40)
            wrong = ask_at_once(address, "/v1/sessions", [PERSON | {"password": "not the password"}] * 10)
            registered = ask_at_once(address, "/v1/users", NEW)
            large = ask_at_once(address, "/v1/users", [{"email": "x" * 60_000}] * 20)
            assert httpx.get(f"{address}/livez", timeout=30).status_code == 200
        refused = {(503, "hashing_busy"), (503, "out_of_memory")}
        assert told(signed_in) <= refused
        assert told(wrong) <= refused
        assert told(registered) <= refused
        assert told(large) <= {(422, "invalid_input"), (503, "out_of_memory")}

        # Everybody is served, and nobody is counted who was refused.
        assert told(ask_at_once(address, "/v1/sessions", [PERSON] * 20)) == {(201, None)}
        assert told(ask_at_once(address, "/v1/users", NEW)) == {(201, None)}
        assert mail_in(f"{address}/dev/mailbox.json", NEW[-1]["email"])
    assert asyncio.run(found_half_written(new_database)) == []
    assert processes_of(tmp_path) == []
