"""What the proof of the audit log promises, with the use cases that make and verify it (LA-05)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.token_signer import MemoryTokenSigner
from application.audit.origin import Origin, acting_from
from application.audit.verify_audit_log import VerifyAuditLog
from application.ports.audit import AuditFilter, AuditPlace
from application.ports.unit_of_work import UnitOfWork
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.audit_entry import AuditEntry, Source
from domain.audit.chain import BEGINNING, SealedEntry, leaf, next_hash
from domain.audit.checkpoint import Checkpoint, CheckpointClaims
from domain.audit.verification import Finding, Report
from domain.ids import KeyId
from domain.sessions.session import RefusalReason, SignInRefused
from tests.world import new_user

USER = new_user()
NOW = USER.created_at


async def happen(uow: UnitOfWork, count: int) -> None:
    with acting_from(Origin(source=Source.HTTP, network_address="192.0.2.7")):
        async with uow.begin() as tx:
            for number in range(count):
                at = NOW + timedelta(seconds=number)
                reason = RefusalReason.WRONG_PASSWORD
                await tx.audit.append(
                    SignInRefused(user_id=USER.id, occurred_at=at, reason=reason, network_address=None)
                )


async def sealed(uow: UnitOfWork, after: int = 0) -> list[SealedEntry]:
    async with uow.read() as tx:
        found = await tx.audit_chain.sealed(after=after, limit=10_000)
    return [one for one in found if isinstance(one, SealedEntry)]


async def verify(uow: UnitOfWork, from_position: int = 1, to_position: int | None = None) -> Report:
    proof = VerifyAuditLog(uow, MemoryTokenSigner())
    return await proof.execute(from_position=from_position, to_position=to_position)


async def test_la_05_each_entry_gets_the_next_place_and_a_hash_of_all_before(uow: UnitOfWork) -> None:
    await happen(uow, 3)
    assert await sealed(uow) == []
    assert await SealAuditEntries(uow).execute() == 3
    await happen(uow, 2)
    assert await SealAuditEntries(uow).execute() == 2
    assert await SealAuditEntries(uow).execute() == 0
    entries = await sealed(uow)
    assert [one.position for one in entries] == [1, 2, 3, 4, 5]
    assert [one.entry.sequence for one in entries] == sorted(one.entry.sequence for one in entries)
    before = BEGINNING
    for one in entries:
        assert one.chain_hash == next_hash(before, one.position, leaf(one.entry))
        before = one.chain_hash
    assert await sealed(uow, after=3) == entries[3:]


async def test_la_05_an_untouched_log_is_proved_and_what_is_not_sealed_yet_is_counted(uow: UnitOfWork) -> None:
    assert await verify(uow) == Report(
        from_position=1,
        to_position=0,
        entries=0,
        checkpoints=0,
        unsigned_checkpoints=0,
        destroyed=0,
        unsealed=0,
        next_position=None,
        problem=None,
    )
    await happen(uow, 4)
    await SealAuditEntries(uow).execute()
    await happen(uow, 2)
    report = await verify(uow)
    assert (report.entries, report.unsealed, report.next_position, report.problem) == (4, 2, None, None)


async def test_la_05_a_part_of_the_log_can_be_proved_by_itself(uow: UnitOfWork) -> None:
    await happen(uow, 6)
    await SealAuditEntries(uow).execute()
    middle = await verify(uow, 3, 4)
    assert (middle.from_position, middle.to_position, middle.entries, middle.next_position) == (3, 4, 2, 5)
    rest = await verify(uow, 5)
    assert (rest.entries, rest.to_position, rest.next_position, rest.problem) == (2, 6, None, None)
    nothing = await verify(uow, 7)
    assert (nothing.entries, nothing.problem) == (0, None)
    first = await VerifyAuditLog(uow, MemoryTokenSigner()).execute(at_most=2)
    assert (first.entries, first.next_position) == (2, 3)


async def test_la_05_a_log_that_does_not_go_as_far_as_somebody_saw_it_go_is_missed(uow: UnitOfWork) -> None:
    """Whoever verifies day by day goes on from where they were: it must not be taken for a quiet day."""
    await happen(uow, 6)
    await SealAuditEntries(uow).execute()
    report = await verify(uow, 9)
    assert report.problem is not None
    assert (report.problem.what, report.problem.position, report.problem.sequence) == (Finding.MISSING, 8, None)
    assert (report.from_position, report.to_position, report.entries) == (9, 7, 0)


async def test_pr_02_what_is_destroyed_breaks_no_proof(uow: UnitOfWork) -> None:
    await happen(uow, 3)
    await SealAuditEntries(uow).execute()
    await happen(uow, 1)
    async with uow.begin() as tx:
        await tx.audit.forget(USER.id)
    await SealAuditEntries(uow).execute()
    report = await verify(uow)
    assert (report.entries, report.destroyed, report.problem) == (4, 4, None)


async def test_la_05_an_entry_that_is_committed_late_is_sealed_late(uow: UnitOfWork) -> None:
    async with uow.begin() as late:
        await late.audit.append(
            SignInRefused(user_id=None, occurred_at=NOW, reason=RefusalReason.UNKNOWN_USER, network_address=None)
        )
        await happen(uow, 2)
        assert await SealAuditEntries(uow).execute() == 2
    assert await SealAuditEntries(uow).execute() == 1
    assert [one.entry.user_id for one in await sealed(uow)] == [USER.id, USER.id, None]
    assert (await verify(uow)).problem is None


async def test_la_05_of_many_that_seal_at_once_each_entry_is_sealed_by_one(uow: UnitOfWork) -> None:
    await happen(uow, 5)
    counts = await asyncio.gather(*(SealAuditEntries(uow).execute() for _ in range(5)))
    assert sorted(counts) == [0, 0, 0, 0, 5]
    assert (await verify(uow)).problem is None


async def test_la_05_checkpoints_are_kept_newest_first_one_at_each_place(uow: UnitOfWork) -> None:
    def checkpoint(position: int, statement: str) -> Checkpoint:
        claims = CheckpointClaims(
            issuer="https://accounts.example.com",
            position=position,
            sequence=2 * position,
            chain_hash="ab" * 32,
            made_at=NOW,
            entries=position,
        )
        return Checkpoint(claims=claims, key_id=KeyId("aa"), statement=statement)

    async with uow.begin() as tx:
        for position in (3, 1, 2):
            await tx.audit_chain.add_checkpoint(checkpoint(position, f"first at {position}"))
        await tx.audit_chain.add_checkpoint(checkpoint(2, "second at 2"))
    async with uow.read() as tx:
        kept = await tx.audit_chain.checkpoints()
        assert list(kept) == [checkpoint(position, f"first at {position}") for position in (3, 2, 1)]
        assert list(await tx.audit_chain.checkpoints(before=3, limit=1)) == [kept[1]]


@pytest.mark.parametrize(
    "wanted",
    [
        AuditFilter(),
        AuditFilter(user_id=USER.id),
        AuditFilter(event="sign_in.refused"),
        AuditFilter(occurred_after=NOW + timedelta(seconds=1), occurred_before=NOW + timedelta(seconds=6)),
        AuditFilter(event="sign_in.refused", occurred_after=NOW + timedelta(seconds=3)),
    ],
)
async def test_pages_go_through_all_that_fits_newest_first_and_once(uow: UnitOfWork, wanted: AuditFilter) -> None:
    await happen(uow, 8)
    seen: list[AuditEntry] = []
    after: AuditPlace | None = None
    async with uow.read() as tx:
        everything, end = await tx.audit.page(wanted, limit=100)
        while True:
            page, after = await tx.audit.page(wanted, after=after, limit=3)
            seen += page
            assert len(page) <= 3
            if after is None:
                break
    assert (seen, end) == (list(everything), None)
    moments = [entry.occurred_at for entry in seen]
    assert moments == sorted(moments, reverse=True)
    start, end_at = wanted.occurred_after or NOW, wanted.occurred_before or NOW + timedelta(seconds=8)
    assert len(seen) == (end_at - start).total_seconds()


async def test_what_does_not_fit_all_of_the_filter_is_left_out(uow: UnitOfWork) -> None:
    await happen(uow, 3)
    wanted = AuditFilter(user_id=USER.id, event="sign_in.refused")
    assert wanted.names == ("user_id", "event")
    async with uow.read() as tx:
        assert len((await tx.audit.page(wanted, limit=10))[0]) == 3
        for other in (
            replace(wanted, actor_id=USER.id),
            replace(wanted, event="session.started"),
            replace(wanted, occurred_before=NOW),
            AuditFilter(event="session.started"),
            AuditFilter(actor_id=USER.id),
        ):
            assert await tx.audit.page(other, limit=10) == ([], None)


async def test_a_page_examines_so_many_entries_and_says_where_to_go_on(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("memory.audit", "postgres.audit_queries"):
        monkeypatch.setattr(f"adapters.{module}.EXAMINED_AT_ONCE", 4)
    await happen(uow, 10)
    wanted = AuditFilter(user_id=USER.id, occurred_before=NOW + timedelta(seconds=2))
    pages, after = [], None
    async with uow.read() as tx:
        while True:
            page, after = await tx.audit.page(wanted, after=after, limit=10)
            pages.append([entry.occurred_at for entry in page])
            if after is None:
                break
    assert pages == [[], [], [NOW + timedelta(seconds=1), NOW]]
