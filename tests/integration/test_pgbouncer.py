"""Behind PgBouncer, which hands a connection on after each transaction (docs/decisions/pgbouncer.md)."""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from adapters.postgres import schema
from adapters.postgres.database import open_engine
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.roles import APPLICATION_ROLE
from domain.errors import ConcurrentUpdate
from domain.users.user import User
from tests.conftest import unit_of_work_on
from tests.e2e.test_service import PASSWORD, mail_in, run, serving
from tests.pgbouncer import PgBouncer
from tests.world import new_user

FEW, MANY = 2, 40


@pytest.fixture
def server(home: Path) -> Iterator[str]:
    with embedded_postgres(home, durable=False) as url:
        asyncio.run(schema.migrate(url))
        yield url


async def test_many_connections_share_few_and_nobody_gets_what_another_asked_for(server: str, tmp_path: Path) -> None:
    """Through them go prepared statements, SQLAlchemy's own, transactions, locks, COPY and refused writes."""

    async def save(user: User) -> None:
        async with unit_of_work.begin() as tx:
            await tx.users.save(user)

    async def one(number: int) -> User:
        user, other = new_user(f"user{number}@example.com"), new_user(f"copied{number}@example.com")
        async with unit_of_work.begin() as tx:
            await tx.users.add(user)
            await tx.bulk_users.add_all([other])
        async with unit_of_work.read() as tx:
            stale = await tx.users.get(user.id)
            assert (await tx.users.find_by_email(other.email) or user).id == other.id
        async with unit_of_work.begin() as tx:
            locked = await tx.users.lock(user.id)
            locked.update_profile(display_name=f"Number {number}", locale=None, at=user.created_at)
            await tx.users.save(locked)
        stale.update_profile(display_name="lost", locale=None, at=user.created_at)
        with pytest.raises(ConcurrentUpdate):
            await save(stale)
        async with unit_of_work.read() as tx:
            return await tx.users.get(user.id)

    with PgBouncer.running(tmp_path, server, connections=FEW) as pooler:
        async with open_engine(pooler.url, pool_size=MANY, pool_timeout=60, pooler=True) as engine:
            unit_of_work = unit_of_work_on(engine)
            users = await asyncio.gather(*(one(number) for number in range(3 * MANY)))
            async with open_engine(server) as direct, direct.connect() as connection:
                found = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hallporter'")
                connections = (await connection.execute(found)).scalar_one() - 1  # this one is there itself
    assert [(user.email.canonical, user.display_name) for user in users] == [
        (f"user{number}@example.com", f"Number {number}") for number in range(3 * MANY)
    ]
    assert connections == FEW


def test_two_processes_serve_every_flow_through_four_connections(server: str, home: Path, tmp_path: Path) -> None:
    """The worker of each hears of jobs, which it can only on a connection of its own."""
    people = [{"email": f"user{number}@example.com", "password": PASSWORD} for number in range(4)]
    users = home / "users.jsonl"

    def live(address: str, person: dict[str, str]) -> None:
        with httpx.Client(base_url=address, timeout=60) as client:
            assert client.post("/v1/users", json=person).status_code == 201
            mail = mail_in(f"{address}/dev/mailbox.json", person["email"])
            token = re.search(r"/links/verify-email#(\S+)", mail["text"])
            assert token is not None
            proof = {"token": token[1], "password": PASSWORD}
            assert client.post("/v1/email-verifications/confirm", json=proof).status_code == 200
            tokens = client.post("/v1/sessions", json=person).json()
            for _ in range(5):
                refreshed = client.post("/v1/sessions/refresh", json={"refresh_token": tokens["refresh_token"]})
                tokens = refreshed.json()
            me = {"Authorization": f"Bearer {tokens['access_token']}"}
            assert client.get("/v1/users/me", headers=me).json()["email"] == person["email"]
            assert len(client.get("/v1/sessions", headers=me).json()["items"]) == 1
            assert client.delete("/v1/sessions/current", headers=me).status_code == 204
            assert client.get("/v1/users/me", headers=me).status_code == 401

    with PgBouncer.running(tmp_path, server, connections=4) as pooler:
        given = pooler.url.replace("+asyncpg", "")
        with serving(home, "--workers", "2", DATABASE_POOLER_URL=given) as (address, _):
            with ThreadPoolExecutor(len(people)) as threads:
                for done in [threads.submit(live, address, person) for person in people]:
                    done.result()
            made = run(
                home, "users", "create", "root@example.com", "--admin", typed=f"{PASSWORD}\n", DATABASE_POOLER_URL=given
            )
            assert made.returncode == 0, made.stderr
            exported = run(home, "users", "export", str(users), DATABASE_POOLER_URL=given)
            assert exported.returncode == 0, exported.stderr
            signed_in = httpx.post(
                f"{address}/v1/sessions", json={"email": "root@example.com", "password": PASSWORD}, timeout=60
            )
            root = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            listed = httpx.get(f"{address}/v1/admin/users", headers=root, timeout=60).json()["items"]
            assert len(listed) == len(people) + 1
    assert {person["email"] for person in people} < {
        json.loads(line)["email"] for line in users.read_text().splitlines()
    }


@pytest.mark.parametrize(("is_set_up", "said"), [(True, "answers, and its"), (False, f"SET role = {APPLICATION_ROLE}")])
def test_a_doctor_knows_whether_connections_have_their_limits(
    server: str, home: Path, tmp_path: Path, said: str, *, is_set_up: bool
) -> None:
    with PgBouncer.running(tmp_path, server, connections=1, is_set_up=is_set_up) as pooler:
        told = run(home, "doctor", DATABASE_POOLER_URL=pooler.url.replace("+asyncpg", ""))
    assert (told.returncode == 0) is is_set_up
    assert said in told.stdout
