"""What the release before wrote down, and goes on writing while this one starts."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import text

from adapters.memory.token_signer import MemoryTokenSigner
from adapters.postgres import schema
from adapters.postgres.database import open_engine
from application.audit.verify_audit_log import VerifyAuditLog
from application.upkeep.seal_audit_entries import SealAuditEntries
from domain.audit.chain import commitment
from domain.events import Outcome
from domain.ids import UserId
from tests.conftest import unit_of_work_on
from tests.integration.test_migrations import run

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ADA, PORTER = UserId(UUID(int=1)), UserId(UUID(int=2))
REASON = 'She said: "§ \\ \u2028 \x01 \n 𐍈"'
_WRITE = text(
    "INSERT INTO audit_entries (id, event, user_id, occurred_at, details) "
    "VALUES (:id, :event, :user_id, :occurred_at, CAST(:details AS jsonb))"
)
WRITTEN: tuple[tuple[str, dict[str, object]], ...] = (
    ("user.registered", {"roles": []}),
    ("sign_in.refused", {"reason": "wrong_password", "network_address": "192.0.2.7"}),
    ("user.suspended", {"by": str(PORTER), "until": None, "explanation": REASON}),
    ("password_reset.requested", {"network_address": None, "security_epoch": 0, "by": None}),
)


async def write_as_before(url: str) -> None:
    async with schema.connected(url) as connection:
        for event, details in WRITTEN:
            row = {"id": uuid4(), "event": event, "user_id": ADA, "occurred_at": NOW, "details": json.dumps(details)}
            await connection.execute(_WRITE, row)
        await connection.commit()


async def forget_as_before(url: str) -> None:
    async with schema.connected(url) as connection:
        forget = (
            "UPDATE audit_entries SET details = details - ARRAY['explanation', 'network_address'] WHERE user_id = :id"
        )
        await connection.execute(text(forget), {"id": ADA})
        await connection.commit()


async def test_what_the_release_before_forgets_is_forgotten_and_breaks_no_proof(empty_database: str) -> None:
    """Fault 29."""
    await run(empty_database, "downgrade", "base")
    await schema.migrate(empty_database)
    await write_as_before(empty_database)
    async with open_engine(empty_database) as engine:
        unit_of_work = unit_of_work_on(engine)
        await SealAuditEntries(unit_of_work).execute()
        await forget_as_before(empty_database)
        report = await VerifyAuditLog(unit_of_work, MemoryTokenSigner()).execute()
        assert (report.entries, report.destroyed, report.problem) == (4, 2, None)
    await run(empty_database, "downgrade", "base")


async def test_what_the_release_before_wrote_and_still_writes_can_be_proved_and_forgotten(empty_database: str) -> None:
    """Fault 29."""
    await run(empty_database, "downgrade", "base")
    await run(empty_database, "upgrade", "150215a7edcd")
    await write_as_before(empty_database)
    await schema.migrate(empty_database)
    await write_as_before(empty_database)
    async with open_engine(empty_database) as engine:
        unit_of_work = unit_of_work_on(engine)
        async with unit_of_work.begin() as tx:
            entries = (await tx.audit.of_user(ADA))[::-1]
            assert [entry.sequence for entry in entries] == sorted(entry.sequence for entry in entries)
            assert [(entry.event, entry.details) for entry in entries] == [*WRITTEN, *WRITTEN]
            for entry in entries:
                assert {name: commitment(kept) for name, kept in entry.personal.items()} == entry.commitments
                assert all(entry.public[name] is None for name in entry.personal)
            assert len({kept.salt for entry in entries for kept in entry.personal.values()}) == 4
            assert [entry.outcome for entry in entries[:2]] == [Outcome.SUCCESS, Outcome.REFUSED]
            assert [entry.actor_id for entry in entries[4:]] == [None, None, PORTER, None]
            assert await tx.audit_chain.count_unsealed() == 8
            await tx.audit.forget(ADA)
            assert [entry.personal for entry in await tx.audit.of_user(ADA)] == [{}] * 8
    await run(empty_database, "downgrade", "base")
