"""What a copy of the database shows."""

from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import jobs
from adapters.postgres.models import Base
from application.ports.mailer import MailDelayed
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.purge_expired import PurgeExpired
from domain.messages.message import MessageKind
from tests.http.conftest import register, sign_in
from tests.world import EMAIL, PASSWORD, World, token_of


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
    rows = await dump(engine)
    assert len(rows) > 10
    for secret in issued:
        assert len(secret) > 20
        assert not [row for row in rows if secret in row]


async def test_no_token_and_no_code_that_was_ever_mailed_not_even_while_it_waits(
    client: httpx.AsyncClient, engine: AsyncEngine, world: World
) -> None:
    """ST-01, RC-01."""
    await register(client)
    world.mailer.failure = MailDelayed("later")
    await world.work()
    waiting = await dump(engine)
    world.mailer.failure = None
    await world.lose_jobs()
    async with world.unit_of_work.begin() as tx:
        assert await tx.messages.requeue(untouched_since=world.clock.now(), at=world.clock.now(), limit=100) == 1
    await client.post("/v1/password-resets", json={"email": EMAIL})
    mails = await world.work()
    assert len(mails) == 2
    sent = await dump(engine)
    for secret in [token_of(mail)[6:49] for mail in mails] + [mails[0].content["code"], mails[1].content["link"]]:
        assert not [row for row in waiting + sent if secret in row]


async def test_jobs_hold_nothing_personal(client: httpx.AsyncClient, engine: AsyncEngine, world: World) -> None:
    await register(client)
    await client.post("/v1/password-resets", json={"email": EMAIL})
    queued = await dump(engine, sorted(jobs.TABLES))
    world.mailer.failure = ValueError(EMAIL)
    await world.work()
    assert len(queued) >= 2
    assert not [row for row in queued + await dump(engine, sorted(jobs.TABLES)) if "ada@" in row.lower()]


async def test_pr_02_nothing_of_a_person_who_was_erased(
    client: httpx.AsyncClient, engine: AsyncEngine, world: World
) -> None:
    me = "/v1/users/me"
    registered = await register(client, "canary@example.com", display_name="Canary Bird", locale="de")
    user_id = registered.json()["id"]
    verification = await world.mailed(MessageKind.VERIFY_EMAIL)
    tokens = (await sign_in(client, "canary@example.com")).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}", "User-Agent": "Canary/1.0"}
    await client.post("/v1/email-verifications/confirm", json={"token": token_of(verification)}, headers=bearer)
    await sign_in(client, "canary@example.com", "a wrong guess of mine")
    await client.post("/v1/password-resets", json={"email": "canary@example.com"})
    await client.post(f"{me}/email-changes", json={"new_email": "canary@example.org"}, headers=bearer)
    await world.work()
    assert [row for row in await dump(engine) if "canary" in row.lower()]
    assert (await client.request("DELETE", me, json={}, headers=bearer)).status_code == 202
    await world.work()
    world.clock.advance(timedelta(days=14))
    assert await world.container.resolve(EraseDueUsers).execute() == 1
    await world.container.resolve(PurgeExpired).execute()
    left = await dump(engine)
    assert not [row for row in left if "canary" in row.lower() or "127.0.0.1" in row]
    assert [row for row in left if user_id in row and "user.erased" in row]


async def dump(engine: AsyncEngine, names: Sequence[str] = ()) -> list[str]:
    """Every row of these tables, or of all."""
    tables = names or [*(table.name for table in Base.metadata.sorted_tables), *sorted(jobs.TABLES)]
    async with engine.connect() as connection:
        return [
            str(row[0])
            for name in tables
            for row in await connection.execute(text(f"SELECT to_jsonb(t) FROM {name} t"))  # noqa: S608  (ours)
        ]
