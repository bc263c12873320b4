"""The audit log under load and under attack: by whoever owns the database, and can write what they like (LA-05)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres import schema
from application.audit.export_audit_log import ExportAuditLog
from application.audit.exports import written
from application.audit.make_checkpoint import MakeCheckpoint
from application.audit.origin import Origin, acting_from
from application.audit.verify_audit_log import VerifyAuditLog
from application.audit.verify_export import verify_export
from application.ports.audit import AuditFilter
from application.ports.unit_of_work import UnitOfWork
from application.upkeep.erase_due_users import EraseDueUsers
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.audit_entry import Source
from domain.audit.chain import SealedEntry, seal
from domain.audit.verification import Finding, KnownCheckpoint, Report
from domain.ids import UserId
from domain.sessions.session import RefusalReason, SignInRefused
from domain.users.deletion import DeletionPolicy
from tests.http.test_at_rest import dump
from tests.world import World, make_world, memory_adapters, new_user

ENTRIES = 30
SOMEBODY = new_user().id
KEPT_AT = (9, 10, 20, 30)


@pytest.fixture
def world(postgres_uow: UnitOfWork) -> World:
    return make_world(replace(memory_adapters(), unit_of_work=postgres_uow))


async def happen(world: World, user_id: UserId = SOMEBODY) -> None:
    event = SignInRefused(
        user_id=user_id,
        occurred_at=world.clock.now(),
        reason=RefusalReason.WRONG_PASSWORD,
        network_address=None,
    )
    with acting_from(Origin(source=Source.HTTP, network_address="203.0.113.99")):
        async with world.unit_of_work.begin() as tx:
            await tx.audit.append(event)


async def as_owner(database: str, *statements: str, **parameters: object) -> None:
    async with schema.connected(database) as connection:
        for statement in statements:
            await connection.execute(text(statement), parameters)
        await connection.commit()


async def verify(world: World, kept: Sequence[KnownCheckpoint] = ()) -> Report:
    return await world.container.resolve(VerifyAuditLog).execute(kept=kept)


async def exported(world: World, kept: Sequence[KnownCheckpoint]) -> Report:
    """The same, offline, from an export of what is there."""
    lines = [line async for line in world.container.resolve(ExportAuditLog).execute()]
    texts = [f"{written(line)}\n".encode() for line in lines]
    return verify_export(texts, is_signed=lambda _: None, kept=kept).report


async def chain(world: World) -> list[SealedEntry]:
    async with world.unit_of_work.read() as tx:
        found = await tx.audit_chain.sealed(after=0, limit=10_000)
    return [one for one in found if isinstance(one, SealedEntry)]


async def test_la_05_entries_that_many_write_at_once_are_sealed_while_they_come_in_and_all_are_proved(
    world: World,
) -> None:
    seals = world.container.resolve(SealAuditEntries)
    writers = asyncio.gather(*(happen(world) for _ in range(1_000)))
    sealed = []
    while not writers.done():
        sealed.append(await seals.execute())
    await writers
    assert len([count for count in sealed if count]) > 1
    assert sum(sealed) + await seals.execute() == 1_000
    assert [one.position for one in await chain(world)] == list(range(1, 1_001))
    report = await verify(world)
    assert (report.entries, report.unsealed, report.problem) == (1_000, 0, None)


@pytest.fixture
async def kept(world: World) -> list[KnownCheckpoint]:
    """Checkpoints that somebody keeps elsewhere, of a log of thirty entries; and the log, sealed."""
    found = []
    # The keys come first, or their own events would stand between the others.
    await world.container.resolve(MakeCheckpoint).execute()
    already = len(await chain(world))
    for position in range(already + 1, ENTRIES + 1):
        await happen(world)
        if position in KEPT_AT:
            made = await world.container.resolve(MakeCheckpoint).execute()
            assert made is not None
            assert made.claims.position == position
            found.append(KnownCheckpoint(claims=made.claims, is_signed=True))
    return found


async def test_la_05_what_was_not_touched_is_proved_against_every_checkpoint(
    world: World, kept: list[KnownCheckpoint]
) -> None:
    report = await verify(world, kept)
    assert (report.entries, report.unsealed, report.problem) == (ENTRIES, 0, None)
    # One more in the log itself, of the keys.
    assert report.checkpoints == 2 * len(kept) + 1
    offline = await exported(world, kept)
    assert (offline.problem, offline.entries) == (None, ENTRIES + 1)


EDIT = "UPDATE audit_entries SET {} WHERE sequence = :wrong"
EDITS = [
    EDIT.format('details = details || \'{"reason": "suspended"}\''),
    EDIT.format("outcome = 'success'"),
    EDIT.format("user_id = gen_random_uuid()"),
    EDIT.format("actor_id = gen_random_uuid()"),
    EDIT.format("occurred_at = occurred_at + interval '1 microsecond'"),
    EDIT.format("event = 'session.started'"),
    EDIT.format("source = NULL"),
    EDIT.format("request_id = gen_random_uuid()"),
    EDIT.format("id = gen_random_uuid()"),
    EDIT.format("commitments = '{}'"),
    "UPDATE audit_proofs SET chain_hash = sha256('x') WHERE sequence = :wrong",
]
SWAP = (
    "UPDATE audit_entries a SET details = b.details || '{\"x\": 1}', commitments = b.commitments, event = b.event "
    "FROM audit_entries b WHERE (a.sequence, b.sequence) IN ((:wrong, :other), (:other, :wrong))"
)
MOVE = (
    "UPDATE audit_proofs SET position = -position WHERE sequence IN (:wrong, :other)",
    (
        "UPDATE audit_proofs a SET position = -b.position, chain_hash = b.chain_hash FROM audit_proofs b "
        "WHERE (a.sequence, b.sequence) IN ((:wrong, :other), (:other, :wrong)) AND b.position < 0"
    ),
)
WRITE = (
    "INSERT INTO audit_entries ({}id, event, occurred_at, details, commitments) OVERRIDING SYSTEM VALUE "
    "VALUES ({}gen_random_uuid(), 'user.suspended', now(), '{{}}', '{{}}')"
)
ASIDE = [
    WRITE.format("sequence, ", "-5, "),
    WRITE.format("", ""),
    "UPDATE audit_proofs SET position = -1 WHERE sequence = (SELECT max(sequence) FROM audit_proofs)",
]
DELETE = ("DELETE FROM audit_proofs WHERE {}", "DELETE FROM audit_entries WHERE {}")


@pytest.mark.parametrize("edit", EDITS)
async def test_la_05_the_first_entry_that_was_edited_is_named(
    world: World, kept: list[KnownCheckpoint], database: str, edit: str
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    for place in (24, 13):
        await as_owner(database, edit, wrong=sequences[place])
    for report in (await verify(world), await exported(world, kept)):
        assert report.problem is not None
        assert (report.problem.what, report.problem.position) == (Finding.EDITED, 14)
        assert (report.problem.sequence, report.problem.after_sequence) == (sequences[13], sequences[12])
        assert report.to_position == 13


async def test_la_05_entries_that_changed_places_are_found(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    await as_owner(database, SWAP, wrong=sequences[24], other=sequences[25])
    problem = (await verify(world)).problem
    assert problem is not None
    assert (problem.what, problem.sequence) == (Finding.EDITED, sequences[24])
    for statement in MOVE:
        await as_owner(database, statement, wrong=sequences[13], other=sequences[17])
    for report in (await verify(world), await exported(world, kept)):
        assert report.problem is not None
        assert (report.problem.position, report.problem.sequence) == (14, sequences[17])


async def test_la_05_an_entry_that_was_taken_away_is_missed(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    for place in (24, 13):
        await as_owner(database, *(part.format("sequence = :wrong") for part in DELETE), wrong=sequences[place])
    for report in (await verify(world), await exported(world, kept)):
        assert report.problem is not None
        assert (report.problem.what, report.problem.position) == (Finding.MISSING, 14)
        assert (report.problem.sequence, report.problem.after_sequence) == (None, sequences[12])


async def test_la_05_an_entry_of_which_only_the_place_is_left_is_missed(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    await as_owner(
        database,
        # As whoever may switch the references off.
        "SET LOCAL session_replication_role = replica",
        "DELETE FROM audit_entries WHERE sequence = :wrong",
        wrong=sequences[13],
    )
    for report in (await verify(world), await exported(world, kept)):
        assert report.problem is not None
        assert (report.problem.what, report.problem.after_sequence) == (Finding.MISSING, sequences[12])
    await as_owner(database, "DELETE FROM audit_proofs WHERE sequence = :wrong", wrong=sequences[13])


async def test_la_05_an_end_that_was_cut_off_is_missed_by_a_checkpoint(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    await as_owner(database, *(part.format("sequence > :wrong") for part in DELETE), wrong=sequences[24])
    problem = (await verify(world)).problem
    assert problem is not None
    assert (problem.what, problem.position) == (Finding.TRUNCATED, 26)
    assert (problem.sequence, problem.after_sequence) == (None, sequences[24])
    # Whoever takes the checkpoints away as well is found by those elsewhere, even when the log has grown again.
    await as_owner(database, "DELETE FROM audit_checkpoints")
    assert (await verify(world)).problem is None
    problem = (await verify(world, kept)).problem
    assert problem is not None
    assert (problem.what, problem.after_sequence) == (Finding.TRUNCATED, sequences[24])
    for _ in range(10):
        await happen(world)
    for report in (await exported(world, kept), await verify(world, kept)):
        assert report.problem is not None
        assert (report.problem.what, report.problem.position) == (Finding.CHECKPOINT, 30)


async def rewrite(world: World, database: str) -> None:
    """Make a chain of what is there, from the beginning, as whoever knows how it is made."""
    entries = [one.entry for one in await chain(world)]
    sealed = [
        {"position": one.position, "chain_hash": one.chain_hash, "sequence": one.entry.sequence}
        for one in seal(entries, None)
    ]
    update = "UPDATE audit_proofs SET position = :position, chain_hash = :chain_hash WHERE sequence = :sequence"
    async with schema.connected(database) as connection:
        await connection.execute(text("UPDATE audit_proofs SET position = -position"))
        await connection.execute(text(update), sealed)
        await connection.commit()


@pytest.mark.parametrize("change", [(EDITS[0],), tuple(part.format("sequence = :wrong") for part in DELETE)])
async def test_la_05_a_chain_that_was_made_anew_is_uncovered_by_the_checkpoints_before_and_after(
    world: World, kept: list[KnownCheckpoint], database: str, change: tuple[str, ...]
) -> None:
    sequences = [one.entry.sequence for one in await chain(world)]
    await as_owner(database, *change, "DELETE FROM audit_checkpoints", wrong=sequences[9])
    await rewrite(world, database)
    assert (await verify(world)).problem is None
    now = [one.entry.sequence for one in await chain(world)]
    for report in (await verify(world, kept), await exported(world, kept)):
        assert report.problem is not None
        # Between the checkpoints at 9 and at 10 there is one entry alone.
        assert (report.problem.what, report.problem.position) == (Finding.CHECKPOINT, 10)
        assert (report.problem.sequence, report.problem.after_sequence) == (now[9], sequences[8])


async def test_la_05_a_checkpoint_that_was_edited_vouches_for_nothing(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    await as_owner(database, EDITS[0], wrong=(await chain(world))[12].entry.sequence)
    await rewrite(world, database)
    await as_owner(
        database,
        "UPDATE audit_checkpoints c SET chain_hash = p.chain_hash FROM audit_proofs p WHERE p.position = c.position",
    )
    problem = (await verify(world)).problem
    assert problem is not None
    assert (problem.what, problem.position) == (Finding.BAD_SIGNATURE, 20)


async def test_la_05_what_is_personal_cannot_be_replaced(
    world: World, kept: list[KnownCheckpoint], database: str
) -> None:
    wrong = (await chain(world))[13].entry.sequence
    await as_owner(
        database,
        "UPDATE audit_proofs SET personal = jsonb_set(personal, '{network_address,value}', '\"192.0.2.1\"') "
        "WHERE sequence = :wrong",
        wrong=wrong,
    )
    for report in (await verify(world), await exported(world, kept)):
        assert report.problem is not None
        assert (report.problem.what, report.problem.sequence) == (Finding.PERSONAL, wrong)


@pytest.mark.parametrize("aside", ASIDE)
async def test_la_05_what_stands_among_the_entries_and_not_in_the_chain_is_found(
    world: World, kept: list[KnownCheckpoint], database: str, aside: str
) -> None:
    await happen(world)
    await as_owner(database, aside)
    assert await world.container.resolve(SealAuditEntries).execute() <= 1
    problem = (await verify(world, kept)).problem
    assert problem is not None
    assert problem.what is Finding.KEPT_OUT
    async with world.unit_of_work.begin() as tx:
        (newest, *_), _ = await tx.audit.page(AuditFilter(), limit=1_000)
        assert problem.sequence in {newest.sequence, -5}


async def test_pr_02_whoever_is_erased_leaves_a_log_that_is_proved_and_no_trace_of_a_person(
    world: World, engine: AsyncEngine
) -> None:
    """LA-05."""
    user = await world.register("canary@example.com")
    await happen(world, user.id)
    async with world.unit_of_work.begin() as tx:
        locked = await tx.users.lock(user.id)
        locked.suspend(reason="Sings canary songs", at=world.clock.now())
        await tx.users.save(locked)
    await world.container.resolve(SealAuditEntries).execute()
    before = await verify(world)
    async with world.unit_of_work.begin() as tx:
        locked = await tx.users.lock(user.id)
        locked.schedule_deletion(policy=DeletionPolicy(grace=timedelta()), at=world.clock.now())
        await tx.users.save(locked)
    assert await world.container.resolve(EraseDueUsers).execute() == 1
    await world.work()
    await world.container.resolve(SealAuditEntries).execute()
    after = await verify(world)
    assert (before.problem, after.problem, after.destroyed) == (None, None, 2)
    left = await dump(engine)
    assert len(left) > 5
    assert not [row for row in left if any(trace in row for trace in ("canary", "203.0.113.99", "Sings"))]
