"""Moving out, and in again."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from adapters.memory.clock import MemoryClock
from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.password_transfer import MemoryPasswordTransfer
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.ports.unit_of_work import UnitOfWork
from application.transfer.export_users import ExportUsers
from domain.ids import UserId
from domain.transfer.user_import import Verdict
from domain.users.password import Password
from domain.users.user import User
from tests.contracts.test_user_imports import somebody
from tests.transfers import SHA1, Mover, ndjson

ROWS: list[Mapping[str, object]] = [
    {
        "id": "0b0c7a52-5c3f-4a6e-8f0e-2f1a4d6b8c90",
        "source_id": "auth0|1",
        "email": "Ada@bücher.example.com",
        "email_verified": True,
        "email_verified_at": "2020-01-31T12:00:00.000001Z",
        "display_name": 'Ada "the first", Łovelace 🗝',
        "locale": "de-CH",
        "roles": ["admin", "porter"],
        "password_hash": SHA1,
        "created_at": "2019-01-31T12:00:00Z",
        "updated_at": "2021-01-31T12:00:00.123456Z",
        "suspension": {"since": "2022-01-31T12:00:00Z", "reason": "spam\n\u2028", "until": "2222-01-31T12:00:00Z"},
        "deletion_due_at": "2122-01-31T12:00:00Z",
    },
    {"email": "bob@example.com", "suspension": {"since": "2022-01-31T12:00:00Z", "reason": "spam"}},
    {"email": "eve@example.com", "password_hash": SHA1},
]


async def exported(uow: UnitOfWork, *, with_hashes: bool = True) -> bytes:
    export = ExportUsers(uow, MemoryPasswordTransfer(), MemoryClock())
    return b"".join([page async for page in await export.execute(with_hashes=with_hashes)])


def but_for_the_seal(user: User) -> User:
    return replace(user, password_hash=None)


async def test_who_moves_out_and_in_again_is_the_same(uow: UnitOfWork) -> None:
    mover = Mover(uow)
    await mover.bring(ndjson(*ROWS))
    before, content = await mover.users(), await exported(uow)
    for user in before:
        async with uow.begin() as tx:
            await tx.users.remove(user.id)
    finished = await mover.bring(content)
    assert finished.count(Verdict.ACCEPTED) == len(ROWS)
    after = await mover.users()
    assert [but_for_the_seal(user) for user in after] == [but_for_the_seal(user) for user in before]
    for user in after:
        assert await MemoryPasswordHasher().matches(Password("password"), user.password_hash) is (
            user.email.canonical != "bob@example.com"
        )
    assert await exported(uow) == content


async def test_what_was_moved_out_can_move_in_elsewhere(uow: UnitOfWork) -> None:
    await Mover(uow).bring(ndjson(*ROWS))
    content, elsewhere = await exported(uow), MemoryUnitOfWork()
    await Mover(elsewhere).bring(content)
    assert await exported(elsewhere) == content
    again = await Mover(uow).bring(content)
    assert again.count(Verdict.EXISTS) == len(ROWS)


async def test_an_export_has_no_hashes_unless_they_are_asked_for(uow: UnitOfWork) -> None:
    await Mover(uow).bring(ndjson(*ROWS))
    rows = [json.loads(line) for line in (await exported(uow, with_hashes=False)).splitlines()]
    assert len(rows) == len(ROWS)
    assert not any("password_hash" in row for row in rows)
    assert sum("password_hash" in json.loads(line) for line in (await exported(uow)).splitlines()) == 2


async def test_a_hash_that_nobody_can_open_is_left_out() -> None:
    unit_of_work = MemoryUnitOfWork()
    await Mover(unit_of_work).bring(ndjson(*ROWS))
    ada = next(user for user in await Mover(unit_of_work).users() if user.source_id)
    assert ada.password_hash is not None
    ada.password_hash = replace(ada.password_hash, owner=UserId(somebody("nobody@example.com").id), encoded="broken")
    async with unit_of_work.begin() as tx:
        await tx.users.save(ada)
    rows = {row["source_id"]: row for row in map(json.loads, (await exported(unit_of_work)).splitlines())}
    assert rows["auth0|1"].get("password_hash") is None


async def test_pages_follow_on_each_other(postgres_uow: UnitOfWork) -> None:
    many = [{"email": f"user{number}@example.com", "source_id": str(number)} for number in range(2_001)]
    await Mover(postgres_uow, rows_at_once=1_000).bring(ndjson(*many))
    rows = [json.loads(line) for line in (await exported(postgres_uow)).splitlines()]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {row["source_id"] for row in rows} == {row["source_id"] for row in many}
    assert len(rows) == 2_001


@pytest.mark.parametrize("count", [0, 1])
async def test_la_01_an_export_is_written_down_before_the_first_row_is_given_out(count: int) -> None:
    events: list[tuple[str, object]] = []
    unit_of_work = MemoryUnitOfWork(
        on_commit=lambda seen: events.extend((event.name, event.details().get("with_hashes")) for event in seen)
    )
    await Mover(unit_of_work).bring(ndjson(*ROWS[:count]))
    events.clear()
    pages = await ExportUsers(unit_of_work, MemoryPasswordTransfer(), MemoryClock()).execute(with_hashes=True)
    assert events == [("users.exported", True)]
    assert len([page async for page in pages]) == count
