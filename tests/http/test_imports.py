"""Moving in and out over HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from adapters.http.limits import FILE, MAX_BODY_BYTES
from application.upkeep.give_up_imports import GiveUpImports
from application.upkeep.purge_expired import PurgeExpired
from domain.ids import UserImportId
from tests.http.conftest import make_admin, register, signed_in
from tests.transfers import ndjson
from tests.world import World

IMPORTS = "/v1/admin/imports"
EXPORT = "/v1/admin/exports/users"
NDJSON = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
async def admin(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    bearer = await signed_in(client)
    await make_admin(world)
    return bearer


async def send(
    client: httpx.AsyncClient,
    admin: dict[str, str],
    content: bytes | AsyncIterator[bytes],
    *,
    mode: str = "apply",
    kind: dict[str, str] = NDJSON,
) -> httpx.Response:
    return await client.post(IMPORTS, params={"mode": mode}, content=content, headers=admin | kind)


async def test_a_file_that_is_sent_is_imported_by_a_worker(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    content = ndjson({"email": "bob@example.com", "source_id": "1"}, {"email": "ada@example.com"}, {"email": "none"})
    sent = await send(client, admin, content)
    assert (sent.status_code, sent.json()["state"], sent.json()["rows"]) == (202, "waiting", 0)
    where = sent.headers["location"]
    assert where == f"{IMPORTS}/{sent.json()['id']}"
    tag = (await client.get(where, headers=admin)).headers["etag"]

    await world.work()
    shown = await client.get(where, headers=admin | {"If-None-Match": tag})
    found = shown.json()
    assert (found["state"], found["rows"]) == ("finished", 3)
    assert (found["accepted"], found["exists"], found["invalid"]) == (1, 1, 1)
    again = await client.get(where, headers=admin | {"If-None-Match": shown.headers["etag"]})
    assert again.status_code == 304
    rows = (await client.get(f"{where}/rows", headers=admin)).json()["items"]
    assert [(row["number"], row["verdict"], row["code"], row["field"]) for row in rows] == [
        (1, "accepted", None, None),
        (2, "exists", "email_already_registered", None),
        (3, "invalid", "invalid_email", "email"),
    ]
    assert rows[0]["user_id"] == str((await world.user("bob@example.com")).id)
    async with world.unit_of_work.read() as tx:
        assert await tx.user_imports.part(UserImportId(UUID(found["id"])), 0) is None


async def test_a_dry_run_and_csv_work_as_well(client: httpx.AsyncClient, world: World, admin: dict[str, str]) -> None:
    content = b"email,email_verified\r\nbob@example.com,true\r\n"
    sent = await send(client, admin, content, mode="dry_run", kind=CSV)
    await world.work()
    found = (await client.get(sent.headers["location"], headers=admin)).json()
    assert (found["mode"], found["format"], found["accepted"]) == ("dry_run", "csv", 1)
    assert (await register(client, "bob@example.com")).status_code == 201


async def test_lists_go_on_where_they_ended(client: httpx.AsyncClient, world: World, admin: dict[str, str]) -> None:
    for _ in range(2):
        world.clock.advance(timedelta(seconds=1))
        await send(client, admin, ndjson(*({"email": f"user{number}@example.com"} for number in range(3))))
        await world.work()
    seen = []
    url: str | None = f"{IMPORTS}?limit=1"
    while url:
        page = await client.get(url, headers=admin)
        seen += [(item["accepted"], item["exists"]) for item in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
    assert seen == [(0, 3), (3, 0)]
    newest = (await client.get(IMPORTS, headers=admin)).json()["items"][0]["id"]
    numbers = []
    url = f"{IMPORTS}/{newest}/rows?limit=2&verdict=exists"
    while url:
        page = await client.get(url, headers=admin)
        numbers += [item["number"] for item in page.json()["items"]]
        url = page.links.get("next", {}).get("url")
    assert numbers == [1, 2, 3]
    assert (await client.get(f"{IMPORTS}/{newest}/rows?verdict=accepted", headers=admin)).json()["items"] == []


async def in_blocks(size: int, block: bytes = b"x" * 65_536) -> AsyncIterator[bytes]:
    for _ in range(size // len(block)):
        yield block


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_in_01_a_file_may_be_larger_than_other_bodies_and_no_larger(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    large = 3 * 1024 * 1024
    sent = await send(client, admin, in_blocks(large))
    assert sent.status_code == 202
    await world.work()
    found = (await client.get(sent.headers["location"], headers=admin)).json()
    assert [outcome["code"] for outcome in found["outcomes"]] == ["line_too_long"]
    declared = await client.post(
        IMPORTS,
        params={"mode": "apply"},
        content=b"",
        headers=admin | NDJSON | {"Content-Length": str(FILE.bytes + 1)},
    )
    assert (declared.status_code, declared.json()["code"]) == (413, "body_too_large")
    for path in ("/v1/users", f"{IMPORTS}/"):
        refused = await client.post(path, content=b" " * (MAX_BODY_BYTES + 1), headers=admin | NDJSON)
        assert refused.status_code == 413


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_in_01_nobody_else_has_a_large_body_read(client: httpx.AsyncClient, world: World) -> None:
    taken = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for block in in_blocks(1024 * 1024):
            taken += len(block)
            yield block

    answer = await send(client, await signed_in(client), counted())
    assert answer.status_code == 403
    assert taken == 0


@pytest.mark.parametrize("world", ["memory"], indirect=True)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "text/csv; charset=latin-1"},
        {"Content-Type": "text/csv" + " " * 300},
        NDJSON | {"Content-Encoding": "gzip"},
    ],
)
async def test_ap_02_a_file_is_of_a_kind_that_is_read_here(
    client: httpx.AsyncClient, admin: dict[str, str], headers: dict[str, str]
) -> None:
    answer = await send(client, admin, b"{}", kind=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_file_type")


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_what_to_do_with_a_file_must_be_said(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    for query, code in (("", "missing"), ("?mode=both", "invalid"), ("?mode=apply&mode=apply", "repeated_parameter")):
        answer = await client.post(f"{IMPORTS}{query}", content=b"{}", headers=admin | NDJSON)
        assert answer.status_code == 422
        assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("?mode", code)]


async def test_an_empty_file_is_an_import_of_nobody(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    sent = await send(client, admin, b"")
    await world.work()
    found = (await client.get(sent.headers["location"], headers=admin)).json()
    assert (found["state"], found["rows"]) == ("finished", 0)


async def test_a_file_that_cannot_be_read_leaves_a_failed_import(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    sent = await send(client, admin, b"name\nAda\n", kind=CSV)
    await world.work()
    found = (await client.get(sent.headers["location"], headers=admin)).json()
    assert (found["state"], found["failure"]) == ("failed", "unreadable_file")


async def test_pr_01_a_file_that_nobody_reads_is_forgotten_after_a_day_and_its_import_after_a_month(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    sent = await send(client, admin, ndjson({"email": "canary@example.com"}))
    await world.lose_jobs()
    give_up = world.container.resolve(GiveUpImports)
    assert await give_up.execute() == 0
    world.clock.advance(timedelta(hours=24, seconds=1))
    assert await give_up.execute() == 1
    assert await give_up.execute() == 0
    async with world.unit_of_work.read() as tx:
        (found,) = await tx.user_imports.page(before=None, limit=5)
        assert (found.state, found.failure) == ("failed", "file_gone")
        assert await tx.user_imports.part(found.id, 0) is None
    world.clock.advance(timedelta(days=30, seconds=1))
    assert (await world.container.resolve(PurgeExpired).execute())["imports"] == 1
    async with world.unit_of_work.read() as tx:
        assert await tx.user_imports.page(before=None, limit=5) == []
    assert sent.status_code == 202


async def test_a_file_that_breaks_off_leaves_neither_import_nor_parts(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    async def too_much() -> AsyncIterator[bytes]:
        async for block in in_blocks(2 * 1024 * 1024):
            yield block
        raise ConnectionError

    assert (await send(client, admin, too_much())).status_code == 500
    async with world.unit_of_work.read() as tx:
        assert await tx.user_imports.page(before=None, limit=5) == []
        far = world.clock.now() + timedelta(days=1)
        assert await tx.user_imports.with_parts_from_before(far, limit=5) == []


async def test_sk_04_a_file_is_sealed_while_it_waits(
    client: httpx.AsyncClient, world: World, admin: dict[str, str]
) -> None:
    sent = await send(client, admin, ndjson({"email": "bob@example.com"}))
    async with world.unit_of_work.read() as tx:
        sealed = await tx.user_imports.part(UserImportId(UUID(sent.json()["id"])), 0)
    assert sealed is not None
    opened = world.adapters.secret_sealer.open
    owner = f"{sent.json()['id']} 0"
    assert opened(sealed, purpose="part of an import", owner=owner) is not None
    assert opened(sealed, purpose="part of an import", owner=owner.replace(" 0", " 1")) is None


async def test_everybody_is_exported_row_by_row(client: httpx.AsyncClient, world: World, admin: dict[str, str]) -> None:
    await send(client, admin, ndjson({"email": "bob@example.com", "source_id": "1"}))
    await world.work()
    answer = await client.get(EXPORT, headers=admin)
    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {row["email"]: row["source_id"] for row in rows} == {"ada@example.com": None, "bob@example.com": "1"}
    assert not any("password_hash" in row for row in rows)
    with_hashes = (await client.get(EXPORT, params={"with_hashes": "true"}, headers=admin)).text
    assert [json.loads(line).get("password_hash") is not None for line in with_hashes.splitlines()].count(True) == 1
    moved = await send(client, admin, with_hashes.encode())
    await world.work()
    assert (await client.get(moved.headers["location"], headers=admin)).json()["exists"] == 2


async def test_pr_02_users_are_told_what_their_former_system_called_them(
    client: httpx.AsyncClient, world: World
) -> None:
    bearer = await signed_in(client)
    assert (await client.get("/v1/users/me/export", headers=bearer)).json()["source_id"] is None
    async with world.unit_of_work.begin() as tx:
        user = await tx.users.get((await world.user()).id)
        user.source_id = "auth0|1"
        await tx.users.save(user)
    assert (await client.get("/v1/users/me/export", headers=bearer)).json()["source_id"] == "auth0|1"
