"""Moving in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.ports.unit_of_work import Transaction, UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.transfer.user_import import AnotherFile, ImportIsOver, ImportMode, ImportState, RowFormat, Verdict
from domain.users.password import Password
from domain.users.registration import EmailAlreadyRegistered
from domain.users.suspension import Suspension
from tests.contracts.test_user_imports import somebody
from tests.transfers import SHA1, Mover, ndjson

DRY, REAL = ImportMode.DRY_RUN, ImportMode.APPLY
ID = "0b0c7a52-5c3f-4a6e-8f0e-2f1a4d6b8c90"


@pytest.fixture
def mover(uow: UnitOfWork) -> Mover:
    return Mover(uow)


async def test_users_come_with_all_that_their_rows_say(mover: Mover) -> None:
    finished = await mover.bring(
        ndjson(
            {
                "id": ID.upper(),
                "source_id": "auth0|1",
                "email": "Ada@Bücher.example.com",
                "email_verified": True,
                "email_verified_at": "2020-01-31T12:00:00.5+01:00",
                "display_name": " Ada ",
                "locale": "de-CH",
                "roles": ["porter", "admin"],
                "password_hash": SHA1,
                "created_at": "2019-01-31T12:00:00Z",
                "updated_at": "2021-01-31T12:00:00.123456789Z",
                "suspension": {"since": "2022-01-31T12:00:00Z", "reason": "spam", "until": None},
                "deletion_due_at": "2122-01-31T12:00:00Z",
            },
            {"email": "bob@example.com", "email_verified": True, "display_name": None},
            {"email": "eve@example.com", "created_at": "2019-01-31T12:00:00Z"},
        )
    )
    assert (finished.state, finished.rows, finished.count(Verdict.ACCEPTED)) == (ImportState.FINISHED, 3, 3)
    users = {user.email.canonical: user for user in await mover.users()}
    ada, bob, eve = (users[email] for email in ("ada@xn--bcher-kva.example.com", "bob@example.com", "eve@example.com"))
    now = mover.clock.now()
    assert (str(ada.id), ada.source_id, ada.email.display) == (ID, "auth0|1", "Ada@bücher.example.com")
    assert (ada.display_name, ada.locale, ada.roles) == ("Ada", "de-CH", frozenset({"admin", "porter"}))
    assert ada.password_hash is not None
    assert await MemoryPasswordHasher().matches(Password("password"), ada.password_hash)
    assert ada.suspension == Suspension(since=ada.created_at.replace(year=2022), reason="spam")
    assert [moment.isoformat() if moment else None for moment in (ada.email_verified_at, ada.created_at)] == [
        "2020-01-31T11:00:00.500000+00:00",
        "2019-01-31T12:00:00+00:00",
    ]
    assert ada.updated_at == ada.created_at.replace(year=2021, microsecond=123456)
    assert ada.deletion_due_at == ada.created_at.replace(year=2122)
    assert (bob.email_verified_at, bob.created_at, bob.updated_at, bob.password_hash) == (now, now, now, None)
    assert (eve.email_verified_at, eve.updated_at, eve.version, eve.security_epoch) == (None, eve.created_at, 1, 0)


@pytest.mark.parametrize("mode", [DRY, REAL])
async def test_every_row_gets_its_verdict_and_bad_ones_stop_nobody(mover: Mover, mode: ImportMode) -> None:
    async with mover.unit_of_work.begin() as tx:
        await tx.users.add(somebody("ada@example.com", source_id="1"))
    content = (
        ndjson(
            {"email": "ADA@example.com"},
            {"email": "eve@example.com", "source_id": "1"},
            {"email": "bob@example.com", "source_id": "2", "password_hash": SHA1},
        )
        + b"\n{\n"
        + ndjson(
            {"email": "BOB@example.com"},
            {"email": "canary", "id": ID},
            {"email": "carl@example.com", "id": ID},
            {"email": "dora@example.com", "id": ID, "source_id": "3"},
            {"email": "dora@example.com", "source_id": "2"},
            {"email": "dora@example.com", "password_hash": "canary"},
            {"email": "dora@example.com", "canary": 1},
            {"email": "dora@example.com", "canary canary": 1},
        )
    )
    reports = await mover.verdicts(content, mode)
    assert [(each.line, each.verdict.value, each.code, each.field, each.password_format) for each in reports] == [
        (1, "exists", "email_already_registered", None, None),
        (2, "exists", "already_imported", None, None),
        (3, "accepted", None, None, "sha1"),
        (5, "invalid", "malformed_json", None, None),
        (6, "exists", "email_already_registered", None, None),
        (7, "invalid", "invalid_email", "email", None),
        (8, "accepted", None, None, None),
        (9, "exists", "already_imported", None, None),
        (10, "exists", "already_imported", None, None),
        (11, "invalid", "unknown_password_hash", "password_hash", None),
        (12, "invalid", "unknown_field", "canary", None),
        (13, "invalid", "unknown_field", None, None),
    ]
    assert [each.number for each in reports] == list(range(1, 13))
    assert not any("canary" in (each.detail or "") for each in reports)
    assert len(await mover.users()) == (3 if mode is REAL else 1)


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({}, "email", "missing"),
        ({"email": None}, "email", "missing"),
        ({"email": 1}, "email", "not_a_string"),
        ({"email": "ada@localhost"}, "email", "invalid_email"),
        ({"display_name": 1}, "display_name", "not_a_string"),
        ({"display_name": "\u202e"}, "display_name", "invalid_display_name"),
        ({"locale": "german"}, "locale", "invalid_locale"),
        ({"id": "1"}, "id", "not_an_id"),
        ({"id": 1}, "id", "not_an_id"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "id", "not_an_id"),
        ({"source_id": ""}, "source_id", "invalid_source_id"),
        ({"source_id": "x" * 256}, "source_id", "invalid_source_id"),
        ({"source_id": "a\tb"}, "source_id", "invalid_source_id"),
        ({"source_id": 7}, "source_id", "not_a_string"),
        ({"email_verified": "true"}, "email_verified", "not_a_boolean"),
        ({"email_verified": 1}, "email_verified", "not_a_boolean"),
        ({"email_verified": False, "email_verified_at": "2020-01-31T12:00:00Z"}, "email_verified_at", "contradictory"),
        ({"created_at": "2020-01-31"}, "created_at", "not_a_time"),
        ({"created_at": "2020-01-31T12:00:00"}, "created_at", "not_a_time"),
        ({"created_at": "2020-02-31T12:00:00Z"}, "created_at", "not_a_time"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at", "not_a_time"),
        ({"created_at": 1580472000}, "created_at", "not_a_time"),
        ({"roles": "admin"}, "roles", "not_a_list"),
        ({"roles": ["Admin"]}, "roles", "invalid_role"),
        ({"roles": [1]}, "roles", "invalid_role"),
        ({"roles": [f"a{number}" for number in range(21)]}, "roles", "too_many_roles"),
        ({"password_hash": 1}, "password_hash", "malformed_password_hash"),
        ({"password_hash": {"format": "none"}}, "password_hash", "unknown_password_hash"),
        ({"suspension": "spam"}, "suspension", "not_an_object"),
        ({"suspension": {"reason": "spam"}}, "suspension", "missing"),
        ({"suspension": {"since": "2020-01-31T12:00:00Z", "reason": " "}}, "suspension.reason", "invalid_reason"),
        ({"suspension": {"since": "2020-01-31T12:00:00Z", "by": "x"}}, "suspension.by", "unknown_field"),
        (
            {"suspension": {"since": "2020-01-31T12:00:00Z", "reason": "a", "until": "2020-01-31T12:00:00Z"}},
            "suspension.until",
            "in_the_past",
        ),
    ],
)
@pytest.mark.parametrize("uow", ["memory"], indirect=True)
async def test_an_invalid_row_says_which_field_breaks_which_rule(
    mover: Mover, row: dict[str, object], field: str, code: str
) -> None:
    (report,) = await mover.verdicts(ndjson(({"email": "ada@example.com"} if row and "email" not in row else {}) | row))
    assert (report.verdict, report.field, report.code) == (Verdict.INVALID, field, code)
    assert report.detail


async def test_csv_has_the_same_names(mover: Mover) -> None:
    content = f"email,email_verified,roles,password_hash,id\nada@example.com,true,admin porter,{SHA1},{ID}\n".encode()
    finished = await mover.bring(content, format=RowFormat.CSV)
    (report,) = await mover.reports(finished.id)
    (ada,) = await mover.users()
    assert (report.line, report.user_id, report.password_format) == (2, ada.id, "sha1")
    assert (str(ada.id), ada.roles, ada.email_verified) == (ID, frozenset({"admin", "porter"}), True)


async def test_moving_in_twice_brings_nobody_twice(mover: Mover) -> None:
    content = ndjson(*({"email": f"user{number}@example.com", "source_id": str(number)} for number in range(7)))
    await mover.bring(content)
    before = await mover.users()
    again = await mover.bring(content)
    assert (again.count(Verdict.EXISTS), again.rows) == (7, 7)
    assert {report.code for report in await mover.reports(again.id)} == {"already_imported"}
    assert await mover.users() == before


async def test_la_02_there_is_one_audit_entry_for_each_chunk_that_brought_somebody() -> None:
    events: list[tuple[object, ...]] = []
    unit_of_work = MemoryUnitOfWork(
        on_commit=lambda seen: events.extend(
            (event.name, *(event.details().get(name) for name in ("first_row", "last_row", "count"))) for event in seen
        )
    )
    rows = [{"email": f"user{number}@example.com"} for number in range(7)]
    rows[3:6] = [{"email": "none"}] * 3
    rows[1] = {"email": "none"}
    for mode in (DRY, REAL):
        await Mover(unit_of_work).bring(ndjson(*rows), mode)
    assert events == [
        ("users.import_started", None, None, None),
        ("users.import_started", None, None, None),
        ("users.imported", 1, 3, 2),
        ("users.imported", 7, 7, 1),
    ]


async def test_an_import_that_was_interrupted_goes_on_where_it_stopped(mover: Mover) -> None:
    content = ndjson(*({"email": f"user{number}@example.com"} for number in range(30)))
    started = await mover.start()

    async def breaks_off() -> AsyncIterator[bytes]:
        # What was read last may be lost with it.
        yield content[: len(content) * 8 // 10]
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await mover.go_on_reading(started.id, breaks_off())
    kept = [report.number for report in await mover.reports(started.id)]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= 3
    assert len(kept) % 3 == 0
    assert len(await mover.users()) == len(kept)
    with pytest.raises(AnotherFile):
        await mover.go_on(started.id, content[1:])
    finished = await mover.go_on(started.id, content)
    assert (finished.id, finished.rows, finished.count(Verdict.ACCEPTED)) == (started.id, 30, 30)
    assert [report.number for report in await mover.reports(started.id)] == list(range(1, 31))
    assert len(await mover.users()) == 30
    with pytest.raises(ImportIsOver):
        await mover.go_on(started.id, content)


async def test_two_who_go_on_with_one_import_do_not_do_it_twice(mover: Mover) -> None:
    content = ndjson(*({"email": f"user{number}@example.com"} for number in range(10)))
    started = await mover.start()
    results = await asyncio.gather(*(mover.go_on(started.id, content) for _ in range(4)), return_exceptions=True)
    finished = [result for result in results if not isinstance(result, BaseException)]
    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, ConcurrentUpdate | ImportIsOver) for result in refused), refused
    assert len(await mover.users()) == 10
    if not finished:
        finished = [await mover.go_on(started.id, content)]
    assert {each.rows for each in finished} == {10}


class Interloper:
    """A unit of work between whose look-up and whose writing somebody else registers."""

    def __init__(self, unit_of_work: UnitOfWork, *emails: str) -> None:
        self._unit_of_work = unit_of_work
        self._emails = [*emails]
        self.read, self.write = unit_of_work.read, unit_of_work.write

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._unit_of_work.begin() as tx:
            taken = tx.bulk_users.taken

            async def then_register(asked: object) -> object:
                found = await taken(asked)  # type: ignore[arg-type]
                if self._emails:
                    async with self._unit_of_work.begin() as other:
                        await other.users.add(somebody(self._emails.pop()))
                return found

            tx.bulk_users.taken = then_register  # type: ignore[method-assign, assignment]
            yield tx


async def test_somebody_who_registers_at_the_same_moment_is_found_there(uow: UnitOfWork) -> None:
    async with uow.begin() as tx:
        # Where somebody is here already, others are looked for.
        await tx.users.add(somebody("ada@example.com"))
    content = ndjson({"email": "ada@example.com"}, *({"email": f"user{number}@example.com"} for number in range(3)))
    mover = Mover(Interloper(uow, "user1@example.com", "user0@example.com"), rows_at_once=4)
    reports = await mover.verdicts(content)
    assert [report.verdict.value for report in reports] == ["exists", "exists", "exists", "accepted"]


async def test_whoever_is_always_faster_ends_the_import_and_loses_nothing(uow: UnitOfWork) -> None:
    emails = [f"user{number}@example.com" for number in range(9)]
    async with uow.begin() as tx:
        await tx.users.add(somebody(emails[-1]))
    mover = Mover(Interloper(uow, *emails[:-1]), rows_at_once=9)
    started = await mover.start()
    content = ndjson(*({"email": email} for email in emails))
    with pytest.raises(EmailAlreadyRegistered):
        await mover.go_on(started.id, content)
    assert await mover.reports(started.id) == []
    finished = await Mover(uow).go_on(started.id, content)
    assert finished.count(Verdict.ACCEPTED) + finished.count(Verdict.EXISTS) == 9


async def test_what_a_dry_run_noted_is_forgotten_when_it_is_over(mover: Mover) -> None:
    content = ndjson({"email": "ada@example.com", "source_id": "1"}, {"email": "ada@example.com"})
    first = await mover.verdicts(content, DRY)
    assert await mover.verdicts(content, DRY) == first
    assert await mover.users() == []


# Few of each, so that rows meet.
_emails = st.sampled_from(["ada@example.com", "ADA@example.com", "bob@example.com", "eve@example.com", "none"])
_ids = st.sampled_from([ID, ID[:-1] + "1", "none"])
_rows = st.lists(
    st.fixed_dictionaries(
        {"email": _emails},
        optional={
            "id": _ids,
            "source_id": st.sampled_from(["1", "2", ID]),
            "password_hash": st.sampled_from([SHA1, "none"]),
            "email_verified": st.sampled_from([True, False, None, 1]),
        },
    ),
    max_size=12,
)


@example(
    rows=[{"email": "bob@example.com"}, {"email": "bob@example.com", "source_id": "1"}], rows_at_once=2, present=True
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=_rows, rows_at_once=st.integers(min_value=1, max_value=5), present=st.booleans())
async def test_a_dry_run_says_what_a_real_one_does(
    rows: list[dict[str, object]], rows_at_once: int, *, present: bool
) -> None:
    unit_of_work = MemoryUnitOfWork()
    await compare(unit_of_work, rows, rows_at_once, present=present)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=_rows, rows_at_once=st.integers(min_value=1, max_value=5), present=st.booleans())
async def test_a_dry_run_says_what_a_real_one_does_in_postgresql(
    postgres_uow: UnitOfWork, rows: list[dict[str, object]], rows_at_once: int, *, present: bool
) -> None:
    for user in await Mover(postgres_uow).users():
        async with postgres_uow.begin() as tx:
            await tx.users.remove(user.id)
    await compare(postgres_uow, rows, rows_at_once, present=present)


async def compare(unit_of_work: UnitOfWork, rows: list[dict[str, object]], rows_at_once: int, *, present: bool) -> None:
    if present:
        async with unit_of_work.begin() as tx:
            await tx.users.add(somebody("ada@example.com", source_id="1"))
    mover = Mover(unit_of_work, rows_at_once=rows_at_once)
    before = await mover.users()
    rehearsed = await mover.verdicts(ndjson(*rows), DRY)
    assert await mover.users() == before
    mover.clock.advance(timedelta(seconds=1))
    assert await mover.verdicts(ndjson(*rows), REAL) == rehearsed
    accepted = sum(report.verdict is Verdict.ACCEPTED for report in rehearsed)
    assert len(await mover.users()) == len(before) + accepted
