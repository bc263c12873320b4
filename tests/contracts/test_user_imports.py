"""What keeps imports, and users by the thousand, promises."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.memory.clock import MemoryClock
from adapters.system.randomness import SystemRandomness
from application.ports.unit_of_work import DuplicateKey, UnitOfWork
from application.ports.user_imports import Identities
from domain.errors import ConcurrentUpdate
from domain.ids import UserId, UserImportId
from domain.transfer.user_import import (
    AlreadyImported,
    ImportMode,
    ImportNotFound,
    ImportState,
    Outcome,
    RowFormat,
    RowReport,
    UserImport,
    Verdict,
)
from domain.users.registration import EmailAlreadyRegistered
from domain.users.suspension import Suspension
from domain.users.user import User
from tests.world import new_user

NOW = MemoryClock().now()
DAY = timedelta(days=1)
_randomness = SystemRandomness()


def new_id() -> UserImportId:
    return UserImportId(_randomness.uuid(at=NOW))


def new_import(*, at: datetime = NOW, mode: ImportMode = ImportMode.APPLY) -> UserImport:
    made = UserImport.prepare(id=new_id(), mode=mode, format=RowFormat.CSV, sealed_key="sealed", at=at)
    made.begin(at=at)
    return made


def report(number: int, verdict: Verdict = Verdict.ACCEPTED) -> RowReport:
    return RowReport(number, number + 1, verdict)


async def kept(uow: UnitOfWork, user_import: UserImport) -> UserImport:
    async with uow.begin() as tx:
        await tx.user_imports.add(user_import)
    return user_import


async def load(uow: UnitOfWork, import_id: UserImportId) -> UserImport:
    async with uow.read() as tx:
        return await tx.user_imports.get(import_id)


async def add_all(uow: UnitOfWork, *users: User) -> None:
    async with uow.begin() as tx:
        await tx.bulk_users.add_all(users)


async def everybody(uow: UnitOfWork) -> list[User]:
    async with uow.read() as tx:
        return list(await tx.bulk_users.page(after=None, limit=100))


def somebody(email: str, *, source_id: str | None = None) -> User:
    user = new_user(email)
    user.collect_events()
    user.source_id = source_id
    return user


async def test_many_users_come_back_as_they_went_in_by_id(uow: UnitOfWork) -> None:
    ada = somebody("Ada+x@bücher.example.com", source_id="auth0|1 🗝")
    ada.suspension = Suspension(since=NOW, reason="spam", until=NOW + DAY)
    ada.roles = frozenset({"admin", "porter"})
    ada.deletion_due_at = NOW + DAY
    bob = somebody("bob@example.com")
    bob.password_hash = None
    users = sorted([ada, bob], key=lambda user: user.id)
    await add_all(uow, *users[::-1])
    async with uow.read() as tx:
        first = await tx.bulk_users.page(after=None, limit=1)
        rest = await tx.bulk_users.page(after=first[0].id, limit=5)
        assert [*first, *rest] == users
        assert await tx.bulk_users.page(after=users[-1].id, limit=5) == []
        assert await tx.audit.of_user(ada.id) == []


async def test_nobody_many_times_is_nobody(uow: UnitOfWork) -> None:
    await add_all(uow)
    assert await everybody(uow) == []


async def test_of_many_one_who_is_here_already_keeps_all_away(uow: UnitOfWork) -> None:
    ada = somebody("ada@example.com", source_id="1")
    await add_all(uow, ada)
    for again, refusal in (
        (somebody("ADA@example.com"), EmailAlreadyRegistered),
        (somebody("eve@example.com", source_id="1"), AlreadyImported),
        (replace(somebody("eve@example.com"), id=ada.id), DuplicateKey),
    ):
        with pytest.raises(refusal):
            await add_all(uow, somebody("bob@example.com"), again)
    assert await everybody(uow) == [ada]


async def test_the_same_person_twice_among_many_is_refused(uow: UnitOfWork) -> None:
    with pytest.raises(EmailAlreadyRegistered):
        await add_all(uow, somebody("ada@example.com"), somebody("ADA@example.com"))


async def test_an_id_of_a_former_system_is_anybodys_once(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        await tx.users.add(somebody("ada@example.com", source_id="1"))
    with pytest.raises(AlreadyImported):
        async with uow.begin() as tx:
            await tx.users.add(somebody("eve@example.com", source_id="1"))


async def test_who_is_here_is_found_by_whatever_they_are_known_by(uow: UnitOfWork) -> None:
    ada, bob = somebody("ada@example.com", source_id="1"), somebody("bob@example.com")
    await add_all(uow, ada, bob, somebody("eve@example.com", source_id="3"))
    async with uow.begin() as tx:
        found = await tx.bulk_users.taken(
            Identities(ids={bob.id, new_id()}, source_ids={"1", "2"}, emails={"nobody@example.com"})
        )
        assert found == Identities(
            ids={ada.id, bob.id}, source_ids={"1"}, emails={"ada@example.com", "bob@example.com"}
        )
        assert await tx.bulk_users.taken(Identities()) == Identities()


async def test_an_import_comes_back_as_it_went_in(uow: UnitOfWork) -> None:
    user_import = new_import()
    user_import.by = UserId(new_id())
    await kept(uow, user_import)
    assert await load(uow, user_import.id) == user_import
    reports = [
        RowReport(1, 2, Verdict.ACCEPTED, password_format="bcrypt", user_id=UserId(new_id())),
        RowReport(2, 3, Verdict.INVALID, "missing", "email", "This field is required."),
        RowReport(3, 5, Verdict.EXISTS, "already_imported"),
    ]
    async with uow.begin() as tx:
        locked = await tx.user_imports.lock(user_import.id)
        await tx.user_imports.add_reports(locked.id, reports)
        locked.judge(reports, fingerprint=b"\0\xff", at=NOW + DAY)
        await tx.user_imports.save(locked)
    stored = await load(uow, user_import.id)
    assert stored == locked
    assert (stored.rows, stored.fingerprint, stored.version) == (3, b"\0\xff", 2)
    assert stored.tally == Counter({each.outcome: 1 for each in reports})
    assert stored.count(Verdict.INVALID) == 1
    assert Outcome(Verdict.ACCEPTED, None, "bcrypt") in stored.tally
    async with uow.read() as tx:
        assert await tx.user_imports.reports(user_import.id, after=0, limit=9) == reports
        assert await tx.user_imports.reports(user_import.id, after=1, limit=1) == reports[1:2]
        assert await tx.user_imports.reports(user_import.id, after=0, limit=9, verdict=Verdict.EXISTS) == reports[2:]
        assert await tx.user_imports.reports(new_id(), after=0, limit=9) == []


async def test_no_import_is_not_found(uow: UnitOfWork) -> None:
    with pytest.raises(ImportNotFound):
        await load(uow, new_id())
    with pytest.raises(ImportNotFound):
        async with uow.begin() as tx:
            await tx.user_imports.lock(new_id())


async def test_a_row_is_reported_once_and_an_import_kept_once(uow: UnitOfWork) -> None:
    user_import = await kept(uow, new_import())
    with pytest.raises(DuplicateKey):
        await kept(uow, user_import)
    with pytest.raises(DuplicateKey):
        async with uow.begin() as tx:
            await tx.user_imports.add_reports(user_import.id, [report(1), report(1)])


async def test_the_second_of_two_who_go_on_with_an_import_is_refused(uow: UnitOfWork) -> None:
    user_import = await kept(uow, new_import())
    one, other = await load(uow, user_import.id), await load(uow, user_import.id)
    async with uow.begin() as tx:
        one.finish(at=NOW)
        await tx.user_imports.save(one)
    with pytest.raises(ConcurrentUpdate):
        async with uow.begin() as tx:
            await tx.user_imports.save(other)


async def test_imports_are_listed_from_new_to_old(uow: UnitOfWork) -> None:
    imports = [await kept(uow, new_import(at=NOW + number * DAY)) for number in range(3)]
    newest_first = sorted((each.id for each in imports), reverse=True)
    async with uow.read() as tx:
        first = await tx.user_imports.page(before=None, limit=2)
        rest = await tx.user_imports.page(before=first[-1].id, limit=2)
    assert [each.id for each in (*first, *rest)] == newest_first


async def test_what_was_noted_of_a_dry_run_is_found_again_and_forgotten(uow: UnitOfWork) -> None:
    mine, others = await kept(uow, new_import()), await kept(uow, new_import())
    async with uow.begin() as tx:
        await tx.user_imports.claim(mine.id, [b"a", b"b", b"c"])
        await tx.user_imports.claim(others.id, [b"d"])
        await tx.user_imports.claim(others.id, [])
    async with uow.read() as tx:
        assert await tx.user_imports.claimed(mine.id, [b"b", b"d"]) == {b"b"}
        assert await tx.user_imports.claimed(mine.id, []) == set()
    async with uow.begin() as tx:
        assert await tx.user_imports.forget_claims(mine.id, limit=2) == 2
        assert await tx.user_imports.forget_claims(mine.id, limit=2) == 1
        assert await tx.user_imports.claimed(others.id, [b"d"]) == {b"d"}


async def test_a_file_is_kept_in_parts_until_it_is_forgotten(uow: UnitOfWork) -> None:
    mine, others = await kept(uow, new_import()), await kept(uow, new_import())
    async with uow.begin() as tx:
        await tx.user_imports.add_part(mine.id, 0, "one", at=NOW)
        await tx.user_imports.add_part(mine.id, 1, "two", at=NOW)
        await tx.user_imports.add_part(others.id, 0, "three", at=NOW + DAY)
    async with uow.read() as tx:
        assert [await tx.user_imports.part(mine.id, number) for number in range(3)] == ["one", "two", None]
        assert await tx.user_imports.with_parts_from_before(NOW + DAY, limit=5) == [mine.id]
        assert await tx.user_imports.with_parts_from_before(NOW, limit=5) == []
    async with uow.begin() as tx:
        await tx.user_imports.forget_parts(mine.id)
        assert await tx.user_imports.part(mine.id, 0) is None
        assert await tx.user_imports.part(others.id, 0) == "three"


async def test_imports_that_are_long_over_go_with_all_that_is_theirs(uow: UnitOfWork) -> None:
    old, young = await kept(uow, new_import()), await kept(uow, new_import(at=NOW + DAY))
    for each in (old, young):
        async with uow.begin() as tx:
            await tx.user_imports.add_part(each.id, 0, "part", at=NOW)
            await tx.user_imports.claim(each.id, [b"claim"])
            await tx.user_imports.add_reports(each.id, [report(1), report(2)])
    removed = []
    for _ in range(3):
        async with uow.begin() as tx:
            removed.append(await tx.user_imports.purge(untouched_since=NOW + DAY, limit=3))
    assert removed == [3, 2, 0]
    with pytest.raises(ImportNotFound):
        await load(uow, old.id)
    async with uow.read() as tx:
        assert await tx.user_imports.reports(old.id, after=0, limit=9) == []
        assert len(await tx.user_imports.reports(young.id, after=0, limit=9)) == 2
        assert await tx.user_imports.part(young.id, 0) == "part"
    assert (await load(uow, young.id)).state is ImportState.RUNNING
