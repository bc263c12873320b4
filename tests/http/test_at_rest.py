"""What a copy of the database shows."""

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.models import Base
from tests.http.conftest import register, sign_in
from tests.world import PASSWORD, World


@pytest.fixture
def world(postgres_world: World) -> World:
    return postgres_world


async def test_st_01_no_secret_that_was_ever_issued(client: httpx.AsyncClient, engine: AsyncEngine) -> None:
    await register(client)
    tokens = (await sign_in(client)).json()
    issued = {PASSWORD}
    for _ in range(5):
        # Once with the prefix and the checksum, and once as the secret alone.
        issued |= {tokens["access_token"], tokens["refresh_token"], tokens["refresh_token"][6:49]}
        body = {"refresh_token": tokens["refresh_token"]}
        tokens = (await client.post("/v1/sessions/refresh", json=body)).json()
    async with engine.connect() as connection:
        rows = [
            str(row[0])
            for table in Base.metadata.sorted_tables
            for row in await connection.execute(text(f"SELECT to_jsonb(t) FROM {table.name} t"))  # noqa: S608
        ]
    assert len(rows) > 10
    for secret in issued:
        assert len(secret) > 20
        assert not [row for row in rows if secret in row]
