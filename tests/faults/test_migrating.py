"""The schema changes under a service that is being used (fault 29)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from adapters.http.app import HttpConfig, create_app
from adapters.postgres import indexes, schema
from entrypoints.startup import started
from tests.http.conftest import ORIGIN, signed_in
from tests.made_up import INDEX, Release
from tests.world import SETTINGS

CALLERS = 4
# Far more than anything here takes, and less than a wait without end.
PATIENCE = 60
ADDED = 'op.add_column("users", sa.Column("shoe_size", sa.Integer(), server_default="0", nullable=False))'


class Callers:
    """People who read and change their profiles without a pause, and what they are answered."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self._rounds = [0] * CALLERS
        self._went_round = asyncio.Condition()

    async def call(self, number: int, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        for each in count():
            change = {"display_name": f"Ada {each}"}
            for request in (
                client.build_request("GET", "/v1/users/me", headers=headers),
                client.build_request("PATCH", "/v1/users/me", json=change, headers=headers),
            ):
                self.answers[(await client.send(request)).status_code] += 1
            async with self._went_round:
                self._rounds[number] += 1
                self._went_round.notify_all()

    async def go_round(self) -> None:
        """Wait until each of them has been answered all anew: a round that has begun by now does not count."""
        wanted = [rounds + 2 for rounds in self._rounds]
        async with asyncio.timeout(PATIENCE), self._went_round:
            await self._went_round.wait_for(
                lambda: all(have >= want for have, want in zip(self._rounds, wanted, strict=True))
            )


@asynccontextmanager
async def used(url: str) -> AsyncIterator[Callers]:
    """A service on a database, and people who use it for as long as the block."""
    settings = SETTINGS.model_copy(update={"database_url": SecretStr(url)})
    callers = Callers()
    app = create_app(config=HttpConfig(public_url=ORIGIN, version="test"))
    async with (
        started(settings) as service,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client,
    ):
        app.state.container = service.container
        people = [await signed_in(client, f"ada{number}@example.com") for number in range(CALLERS)]
        calling = [asyncio.create_task(callers.call(number, client, each)) for number, each in enumerate(people)]
        try:
            await callers.go_round()
            yield callers
        finally:
            for each in calling:
                each.cancel()
            ended = await asyncio.gather(*calling, return_exceptions=True)
    assert {type(each) for each in ended} == {asyncio.CancelledError}


@pytest.mark.parametrize("held", ["ACCESS SHARE", "ROW EXCLUSIVE"])
async def test_fault_29_nobody_is_refused_while_a_migration_waits_for_a_long_transaction(
    release: Release, new_database: str, held: str
) -> None:
    attempts = []
    async with used(new_database) as callers, schema.connected(new_database) as other:
        # Whoever reads or writes, and does not come to an end.
        await other.execute(text(f"LOCK TABLE users IN {held} MODE"))
        revisions = [release.add(ADDED), release.add(INDEX)]

        async def between(attempt: int) -> None:
            attempts.append(attempt)
            await callers.go_round()
            if attempt == 2:
                await other.commit()

        assert await schema.migrate(new_database, between=between) == revisions
        # The code of before, with all that its connections remember, on the schema of after.
        await callers.go_round()
        assert await indexes.invalid(other) == []
    assert attempts == [1, 2]
    assert callers.answers.keys() == {200}
