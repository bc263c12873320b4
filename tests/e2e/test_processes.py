"""Several processes on one database: whichever is asked, the answer is the same."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.test_service import PASSWORD, processes_of, serving

PERSON = {"email": "ada@example.com", "password": PASSWORD}


@pytest.fixture
def addresses(home: Path) -> Iterator[list[str]]:
    """Three processes with a port each, for a test to choose."""
    with ExitStack() as running:
        # Behind a proxy they have one address, which is the issuer of their tokens.
        started = [running.enter_context(serving(home, PUBLIC_URL="http://127.0.0.1:8000")) for _ in range(3)]
        yield [address for address, _ in started]


async def answers(addresses: list[str], path: str, body: object, times: int) -> list[httpx.Response]:
    """The same request to all of them, so often each, at once."""
    async with httpx.AsyncClient(timeout=60) as client:
        requests = (client.post(f"{address}{path}", json=body) for address in addresses for _ in range(times))
        return await asyncio.gather(*requests)


async def test_three_processes_are_as_one(addresses: list[str]) -> None:
    """LG-04, ST-07, ST-05: limits, rotation and the end of a session are the database's affair, and nobody's own."""
    first, second, third = addresses
    async with httpx.AsyncClient(timeout=60) as client:
        assert (await client.post(f"{first}/v1/users", json=PERSON)).status_code == 201
        tokens = (await client.post(f"{second}/v1/sessions", json=PERSON)).json()
        old = {"refresh_token": tokens["refresh_token"]}
        refreshed = await answers(addresses, "/v1/sessions/refresh", old, times=5)
        assert {answer.status_code for answer in refreshed} == {200}
        assert len({answer.json()["refresh_token"] for answer in refreshed}) == 1
        me = {"Authorization": f"Bearer {refreshed[0].json()['access_token']}"}
        for address in addresses:
            assert (await client.get(f"{address}/v1/users/me", headers=me)).json()["email"] == PERSON["email"]
        assert (await client.delete(f"{third}/v1/sessions/current", headers=me)).status_code == 204
        for address in addresses:
            assert (await client.get(f"{address}/v1/users/me", headers=me)).status_code == 401
        wrong = await answers(addresses, "/v1/sessions", PERSON | {"password": "a loud harbour at noon"}, times=4)
        assert Counter(answer.status_code for answer in wrong) == {401: 5, 429: 7}


def processes_that_serve(home: Path) -> set[psutil.Process]:
    """Those that were started to answer requests; not the one that looks after them."""
    return {
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("HALLPORTER_HOME") == str(home)
        and any("spawn_main" in argument for argument in process.info["cmdline"] or [])
    }


def test_a_process_that_dies_is_replaced_while_the_other_serves(home: Path) -> None:
    with serving(home, "--workers", "2", stop=signal.SIGTERM) as (address, _):

        def wait_for_two() -> set[psutil.Process]:
            while len(serving_now := processes_that_serve(home)) < 2:
                assert httpx.get(f"{address}/readyz", timeout=60).status_code == 200
            return serving_now

        victim, other = wait_for_two()
        victim.kill()
        victim.wait()
        assert {other} < wait_for_two()
        # Whoever answers now is the new one.
        other.kill()
        other.wait()
        assert httpx.get(f"{address}/readyz", timeout=60).status_code == 200
    assert processes_of(home) == []
